import { cors } from '../../shared/config.ts';

/**
 * What every response says, errors too. Any web page may ask, but only with a password of its own: nothing is ever sent
 * along by the browser itself, so no origin has to be told from another.
 */
export function addHeadersOfEvery(headers: Headers, protocol: string): void {
  headers.set('Access-Control-Allow-Origin', '*');
  headers.set('Access-Control-Expose-Headers', cors.exposeHeaders.join(', '));
  headers.set('X-Content-Type-Options', 'nosniff');
  headers.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; sandbox");
  headers.set('Referrer-Policy', 'no-referrer');
  if (protocol === 'https:') headers.set('Strict-Transport-Security', 'max-age=31536000');
}
