/** Text that tries to end a field, a line, a string, or the header. */
export const hostile = [
  '\r\nBcc: evil@example.com',
  '\nBcc: evil@example.com',
  '\rBcc: evil@example.com',
  '\r\n Bcc: evil@example.com',
  '\r\n\r\nbody',
  '\n\n',
  '\r\n \r\n',
  'a\0b',
  '\u0085Bcc: evil@example.com',
  '\u001b[31m',
  '\u007f',
];
