/** Text as man(7) wants it. Pure. */

/** One piece of text: nothing in it is taken for a command of roff. */
export function plain(text: string): string {
  return text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replace(/^[.']/gm, String.raw`\&$&`);
}

export const bold = (text: string): string => String.raw`\fB${plain(text)}\fR`;
export const italic = (text: string): string => String.raw`\fI${plain(text)}\fR`;

/** A placeholder such as `<profile>` stands in italics, the rest in bold. */
export function syntax(text: string): string {
  return text
    .split(/(<[^>]*>|\[[^\]]*\])/)
    .map((part) => (/^[<[]/.test(part) ? italic(part) : part === '' ? '' : bold(part)))
    .join('');
}

/** The head of a page; `date` is the day of the release, YYYY-MM-DD, and may be empty. */
export function heading(name: string, section: number, version: string): string {
  return `.TH ${name.toUpperCase().replaceAll('-', String.raw`\-`)} ${section} "" "Culvert ${version}" "Culvert"\n`;
}

export const section = (title: string): string => `.SH "${title}"\n`;
export const part = (title: string): string => `.SS ${quoted(title)}\n`;
export const paragraph = (text: string): string => `.PP\n${text}\n`;
/** A term, and what it means. */
export const entry = (term: string, text: string): string => `.TP\n${term}\n${text}\n`;
/** Lines as they are, indented. */
export const verbatim = (text: string): string => `.PP\n.RS 4\n.nf\n${plain(text)}\n.fi\n.RE\n`;

function quoted(text: string): string {
  return `"${plain(text).replaceAll('"', String.raw`\(dq`)}"`;
}
