/** Ids made of what people call a thing: `my-proxy` for `My Proxy`. Pure. */

const longestId = 40;

/** An id that is not taken, with a number at its end where need be; undefined for a text without letters and digits. */
export function freeId(text: string, isTaken: (id: string) => boolean): string | undefined {
  const plain = text.normalize('NFKD').replaceAll(/\p{Mark}/gu, '');
  const words = plain.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const base = cutId(words.join('-'), longestId);
  if (base === '') return undefined;
  for (let number = 1; ; number += 1) {
    const end = number === 1 ? '' : `-${number}`;
    const id = `${cutId(base, longestId - end.length)}${end}`;
    if (!isTaken(id)) return id;
  }
}

function cutId(text: string, length: number): string {
  return text.slice(0, length).replace(/-+$/, '');
}
