/**
 * The icons of apps as pictures for the page: asked of the engine, bounded, and served as nothing but pictures.
 * Must not: read a file, or let a picture of somebody else's load or run anything.
 */
import { maxIconBytes } from '#shared/app-protocol.ts';
import type { EngineValue } from '#shared/engine-protocol.ts';

/** Icons change with the theme: after so long one is asked for again, in seconds. */
const freshSeconds = 300;

/** SVG may have styles of its own; nothing else, least of all a script or an address. */
const picturePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/** The response that carries an icon; an empty one where there is none, which is no error to the page. */
export function iconResponse(icon: EngineValue<'app.icon'>): Response {
  const bytes = icon === null ? undefined : Buffer.from(icon.data, 'base64');
  if (icon === null || bytes === undefined || bytes.length > maxIconBytes)
    return new Response(null, { status: 204 });
  return new Response(new Uint8Array(bytes), {
    headers: {
      'content-type': icon.mime,
      'content-security-policy': picturePolicy,
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': `private, max-age=${freshSeconds}`,
    },
  });
}
