/** Foreign text is of any length; a line that people read is not. */

/** The text, or its beginning with an ellipsis: at most `longest` UTF-16 units, and no character torn apart. */
export function shortText(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
