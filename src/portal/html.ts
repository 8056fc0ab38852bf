/** Text that is HTML already. Everything else that comes into a template is escaped. */
export interface Html {
  readonly html: string;
}
type Part = Html | string | number | false | undefined | readonly Part[];

const signs: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const print = (part: Part): string => {
  if (part === false || part === undefined) return '';
  if (typeof part === 'string' || typeof part === 'number') return String(part).replace(/[&<>"']/g, sign => signs[sign]!);
  return 'html' in part ? part.html : part.map(print).join('');
};

/** A piece of a page. Values are escaped, so attributes must stand in double quotes; `false` and `undefined` print nothing; lists print their members. */
export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  html: texts.map((text, index) => text + (index < parts.length ? print(parts[index]) : '')).join(''),
});
