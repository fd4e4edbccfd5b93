/** Texts that are no keywords (RFC 8621 §4.1.1), and would be something else in a command. */
export const hostileKeywords: readonly string[] = [
  ...['', ' ', 'a b', 'x\r\ny', 'x\ny', 'x\ry', 'nul\0', 'a\tb', '\u007f', '\u001b[31m'],
  ...['\\Deleted', '\\Seen', '\\', '{5}', '{5+}', '~{5}', '"', '"a"', '(', ')', 'a) x (', ']', '%', '*', '\\*'],
  ...['grün', 'gr\u00c3\u00bcn', '\u2028', '\ud83d\ude00', 'k'.repeat(256), 'k'.repeat(100_000)],
  // Its lower case is a "k".
  '\u212a',
];

/** Keywords with all that a keyword may have. */
export const oddKeywords: readonly string[] = ["!#&'+,-./0:;<=>?@[^_`|}~", '$', '$x'];
