/** What tests and checks ask of the outside: a web page that answers with the caller's address, and a resolver. Pure. */
import { CulvertError } from '#shared/failure.ts';
import { resolverDestination } from '../dns/resolver-address.ts';
import { destinationOf, type Destination } from '../upstream/destination.ts';

/** Answers, among other lines, with `ip=` and the address that it sees. */
export const defaultUrl = 'https://www.cloudflare.com/cdn-cgi/trace';
export const defaultResolver = '9.9.9.9';

/** As people write it: in the configuration, or behind `--url`. */
export interface ProbeChoice {
  readonly url?: string | undefined;
  /** `address`, `address:port` or `[address]:port`. */
  readonly resolver?: string | undefined;
}

export interface Probe {
  readonly url: URL;
  /** Where the page is. */
  readonly web: Destination;
  readonly resolver: Destination;
  /** What the resolver is asked for: the page's name, or the root where that is an address. */
  readonly name: string;
}

/** Throws `option-invalid` with what is wrong. */
export function probeOf({ url = defaultUrl, resolver = defaultResolver }: ProbeChoice): Probe {
  const page = pageOf(url);
  const web = destinationIn(page);
  const name = web.kind === 'name' ? web.host : '.';
  return { url: page, web, resolver: resolverDestination(resolver), name };
}

function pageOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw invalid(`“${text}” is no URL`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalid('the URL is not http or https');
  if (url.username !== '' || url.password !== '') throw invalid('the URL has a user name in it');
  return url;
}

function destinationIn({ hostname, port, protocol }: URL): Destination {
  const usual = protocol === 'https:' ? 443 : 80;
  try {
    return destinationOf(hostname.replace(/^\[(.*)\]$/, '$1'), port === '' ? usual : Number(port));
  } catch (error) {
    throw invalid(`the host in the URL cannot be asked for`, error);
  }
}

function invalid(detail: string, cause?: unknown): CulvertError {
  return new CulvertError('option-invalid', { detail, ...(cause === undefined ? {} : { cause }) });
}
