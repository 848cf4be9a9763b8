/** Where the page is and what it may do. */
export const pageScheme = 'app';
export const pageOrigin = `${pageScheme}://culvert`;
export const startPage = `${pageOrigin}/index.html`;

/** Nothing but the page's own files, and nothing that a string could become a script by. */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types vue',
].join('; ');
