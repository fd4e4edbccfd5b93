// What of curl the documented requests need, for machines without it: curl [-u user:password] [-H header]... [-d body] [--silent] URL

import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    user: { type: 'string', short: 'u' },
    header: { type: 'string', short: 'H', multiple: true },
    data: { type: 'string', short: 'd' },
    silent: { type: 'boolean', short: 's' },
  },
});
const [url = ''] = positionals;
const headers = new Headers(
  (values.header ?? []).map((line) => /** @type {[string, string]} */ (line.split(/: */, 2))),
);
if (values.user !== undefined) headers.set('Authorization', `Basic ${btoa(values.user)}`);
const request = values.data === undefined ? { headers } : { method: 'POST', headers, body: values.data };
const response = await fetch(url, request);
process.stdout.write(await response.text());
