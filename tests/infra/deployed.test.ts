import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { type LocalStore, startLocalStore } from '../../functions/local/store.ts';
import { localStoreAccess } from '../../functions/local/store-access.ts';
import { sendLane } from '../../shared/providers.ts';
import { type KmsStandIn, startKms } from '../aws/kms-stand-in.ts';
import { dovecot, type TestUser } from '../servers/servers.ts';
import { type SubmissionServer, submissionServer } from '../smtp/submission-server.ts';

const run = promisify(execFile);

type Resource = {
  Type: string;
  Properties: { Environment?: { Variables: { [name: string]: unknown } }; QueueName?: string };
  Metadata: { [name: string]: string };
};

let folder: string;
let store: LocalStore;
let bucket: FauxqsServer;
let user: TestUser;
/** Where the bundle of the function was put, and the environment that the template gives it. */
let bundle: string;
let senderBundle: string;
const queueUrls = new Map<string, string>();
let kms: KmsStandIn;
let submission: SubmissionServer;
let environment: { [name: string]: string };

/** What is deployed, but for AWS: synthesized without network, credentials or Docker, for a mail server on this machine. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-deployed-'));
  bucket = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  kms = await startKms();
  submission = await submissionServer();
  const server = await dovecot();
  user = await server.freshUser();
  const imap = { host: server.host, port: server.imapPort, tls: 'plaintext' };
  const { port } = submission.endpoint;
  const smtp = { host: '127.0.0.1', port, tls: 'plaintext' };
  const providers = path.join(folder, 'mine.json');
  await writeFile(providers, JSON.stringify({ providers: [{ name: 'test', domains: ['*'], imap, smtp }] }));

  const output = path.join(folder, 'cdk.out');
  const cdk = [
    'node_modules/aws-cdk/bin/cdk',
    'synth',
    '--quiet',
    '--output',
    output,
    '--context',
    `providers=${providers}`,
  ];
  const { PATH = '', HOME = '' } = process.env;
  await run(process.execPath, cdk, { env: { PATH, HOME, AWS_EC2_METADATA_DISABLED: 'true', CDK_DOCKER: 'false' } });
  const template = JSON.parse(await readFile(path.join(output, 'Postern.template.json'), 'utf8'));
  const functionOf = (name: string) =>
    Object.entries<Resource>(template.Resources).find(
      ([id, { Type }]) => Type === 'AWS::Lambda::Function' && id.startsWith(name),
    )?.[1];
  const http = functionOf('Http');
  bundle = path.join(output, http?.Metadata['aws:asset:path'] ?? '');
  senderBundle = path.join(output, functionOf('Sender')?.Metadata['aws:asset:path'] ?? '');
  for (const [id, { Type, Properties }] of Object.entries<Resource>(template.Resources)) {
    if (Type !== 'AWS::SQS::Queue') continue;
    const { queueUrl } = bucket.createQueue(Properties.QueueName ?? nameOf(id), { region: localStoreAccess.region });
    queueUrls.set(nameOf(id), queueUrl);
  }
  const named = (type: string) =>
    Object.entries<Resource>(template.Resources).flatMap(([id, { Type }]) => (Type === type ? [nameOf(id)] : []));
  store = await startLocalStore({ folder: null, tableNames: named('AWS::DynamoDB::GlobalTable'), now: Date.now });
  for (const name of named('AWS::S3::Bucket')) bucket.createBucket(name);
  const variables = http?.Properties.Environment?.Variables ?? {};
  environment = {
    ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, resolved(value)])),
    POSTERN_STORE_ENDPOINT: store.endpoint,
    POSTERN_BUCKET_ENDPOINT: `http://127.0.0.1:${bucket.port}`,
    POSTERN_QUEUE_ENDPOINT: `http://127.0.0.1:${bucket.port}`,
    POSTERN_KMS_ENDPOINT: kms.endpoint,
    AWS_REGION: localStoreAccess.region,
    AWS_ACCESS_KEY_ID: localStoreAccess.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localStoreAccess.credentials.secretAccessKey,
  };
}, 120_000);
afterAll(async () => {
  await store?.stop();
  await bucket?.stop();
  await kms?.stop();
  await submission?.stop();
  await rm(folder, { recursive: true });
});

/** What CloudFormation and Lambda would put in place of a reference to a table, a bucket, a queue or a key, and of the folder of the function. */
function resolved(value: unknown): string {
  if (typeof value === 'string') return value.replace('/var/task', bundle);
  const { Ref, 'Fn::GetAtt': [id] = [] } = value as { Ref?: string; 'Fn::GetAtt'?: string[] };
  const name = nameOf(Ref ?? id ?? '');
  return queueUrls.get(name) ?? name;
}

/** What a resource is called here; buckets have no capitals. */
function nameOf(id: string): string {
  return id.toLowerCase();
}

type Event = { method: string; path: string; headers?: { [name: string]: string }; body?: string };

/** Runs the bundle in a process with no other environment, and invokes its handler with each of the events. */
async function invoke(...events: Event[]) {
  const given = events.map(({ method, path: rawPath, headers = {}, body }) => ({
    version: '2.0',
    rawPath,
    rawQueryString: '',
    headers,
    body,
    isBase64Encoded: false,
    requestContext: { domainName: 'jmap.test', requestId: 'r', http: { method, sourceIp: '192.0.2.1' } },
  }));
  return invokeBundle(bundle, given);
}

async function invokeBundle(code: string, given: readonly object[]) {
  const script = `
    const { handler } = require(${JSON.stringify(path.join(code, 'index.js'))});
    (async () => {
      const results = [];
      for (const event of JSON.parse(process.argv[1])) results.push((await handler(event, {})) ?? null);
      require('fs').writeFileSync(3, JSON.stringify(results));
      process.exit(0);
    })();`;
  const answers = path.join(folder, 'answers');
  const { stdout } = await run(
    'sh',
    ['-c', '"$@" 3>"$0"', answers, process.execPath, '-e', script, JSON.stringify(given)],
    {
      env: environment,
    },
  );
  const results: { statusCode: number; body: string }[] = JSON.parse(await readFile(answers, 'utf8'));
  return { results, log: stdout };
}

describe('the function that is deployed', () => {
  test('is one file, with the providers file beside it', async () => {
    expect((await readdir(bundle)).sort()).toEqual(['index.js', 'providers.json']);
  });

  test('starts with the environment that it is given, and serves mail', async () => {
    const headers = {
      authorization: `Basic ${Buffer.from(`${user.user}:${user.password}`).toString('base64')}`,
      'content-type': 'application/json',
    };
    const using = ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail'];
    const {
      results: [health, session],
    } = await invoke({ method: 'GET', path: '/healthz' }, { method: 'GET', path: '/.well-known/jmap', headers });
    expect(health?.statusCode).toBe(200);
    const { accounts, apiUrl } = JSON.parse(session?.body ?? '{}');
    expect(apiUrl).toBe('https://jmap.test/jmap/api');

    const body = JSON.stringify({
      using,
      methodCalls: [['Mailbox/get', { accountId: Object.keys(accounts)[0], properties: ['role'] }, 'a']],
    });
    const {
      results: [answer],
      log,
    } = await invoke({ method: 'POST', path: '/jmap/api', headers, body });
    expect(JSON.parse(answer?.body ?? '{}')).toMatchObject({
      methodResponses: [
        ['Mailbox/get', { list: expect.arrayContaining([expect.objectContaining({ role: 'inbox' })]) }, 'a'],
      ],
    });
    expect(log).toContain('"responses":["Mailbox/get"]');
  });

  test('keeps uploaded files from one process to the next', async () => {
    const headers = { authorization: `Basic ${Buffer.from(`${user.user}:${user.password}`).toString('base64')}` };
    const {
      results: [session],
    } = await invoke({ method: 'GET', path: '/.well-known/jmap', headers });
    const [accountId] = Object.keys(JSON.parse(session?.body ?? '{}').accounts);
    const {
      results: [uploaded],
    } = await invoke({ method: 'POST', path: `/jmap/upload/${accountId}/`, headers, body: 'Gr\u00fc\u00dfe' });
    const { blobId, size } = JSON.parse(uploaded?.body ?? '{}');
    expect([uploaded?.statusCode, size]).toEqual([200, 7]);
    const {
      results: [downloaded],
    } = await invoke({ method: 'GET', path: `/jmap/download/${accountId}/${blobId}/x`, headers });
    expect(Buffer.from(downloaded?.body ?? '', 'base64').toString()).toBe('Gr\u00fc\u00dfe');
  });

  test('holds a message for later; the other function sends it, called by the queue at its time', async () => {
    const headers = {
      authorization: `Basic ${Buffer.from(`${user.user}:${user.password}`).toString('base64')}`,
      'content-type': 'application/json',
    };
    const using = ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail', 'urn:ietf:params:jmap:submission'];
    const {
      results: [session],
    } = await invoke({ method: 'GET', path: '/.well-known/jmap', headers });
    const [accountId = ''] = Object.keys(JSON.parse(session?.body ?? '{}').accounts);
    const call = async (...methodCalls: unknown[]) => {
      const { results } = await invoke({
        method: 'POST',
        path: '/jmap/api',
        headers,
        body: JSON.stringify({ using, methodCalls }),
      });
      return JSON.parse(results[0]?.body ?? '{}').methodResponses;
    };
    const [[, identities], [, mailboxes]] = await call(
      ['Identity/get', { accountId }, 'a'],
      ['Mailbox/get', { accountId, properties: ['id'] }, 'b'],
    );
    const from = identities.list[0].email;
    const email = {
      mailboxIds: { [mailboxes.list[0].id]: true },
      from: [{ email: from }],
      subject: 'from the cloud',
      bodyValues: { t: { value: 'Hello' } },
      textBody: [{ partId: 't', type: 'text/plain' }],
    };
    const envelope = {
      mailFrom: { email: from, parameters: { HOLDFOR: '2' } },
      rcptTo: [{ email: 'bob@example.net' }],
    };
    const answers = await call(
      ['Email/set', { accountId, create: { e: email } }, 'a'],
      ['EmailSubmission/set', { accountId, create: { s: { identityId: 'Idefault', emailId: '#e', envelope } } }, 'b'],
    );
    expect(answers).toMatchObject([
      ['Email/set', { created: { e: {} } }, 'a'],
      ['EmailSubmission/set', { created: { s: {} } }, 'b'],
    ]);
    const { s } = answers[1][1].created;
    expect(s).toMatchObject({ undoStatus: 'pending' });
    expect(kms.calls.map(({ operation }) => operation)).toEqual(['GenerateDataKey', 'GenerateDataKey']);

    const client = new SQSClient({ endpoint: `http://127.0.0.1:${bucket.port}`, ...localStoreAccess });
    const QueueUrl = sendLane(environment.POSTERN_SEND_QUEUE ?? '', 'test');
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
    client.destroy();
    expect(JSON.parse(Messages[0]?.Body ?? '{}')).toEqual({
      ...{ at: Date.parse(s.sendAt), account: accountId, id: s.id },
      provider: 'test',
    });
    await invokeBundle(senderBundle, [{ Records: [{ body: Messages[0]?.Body }] }, {}]);
    expect(submission.accepted).toHaveLength(1);
    expect(submission.accepted[0]).toMatchObject({ user: user.user, to: ['bob@example.net'] });
    const lateMs = (submission.accepted[0]?.at ?? 0) - Date.parse(s.sendAt);
    expect(lateMs).toBeGreaterThanOrEqual(0);
    const [[, got]] = await call(['EmailSubmission/get', { accountId, ids: [s.id] }, 'a']);
    expect(got.list[0]).toMatchObject({
      undoStatus: 'final',
      deliveryStatus: { 'bob@example.net': { delivered: 'unknown' } },
    });
  }, 60_000);
});
