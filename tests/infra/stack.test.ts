import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { PosternStack } from '../../infra/stack.ts';
import { readConfig, unknownVariables } from '../../shared/config.ts';
import { overdueMs } from '../../shared/methods/EmailSubmission/ledger.ts';
import { sendLane } from '../../shared/providers.ts';

/** Where the templates were written. */
const synthesized: string[] = [];
afterAll(() => {
  for (const folder of synthesized) rmSync(folder, { recursive: true });
});

function synthesize(options: { providersFile?: string; publicUrl?: string } = {}): Template {
  // Bundling is seen to by the test that runs `cdk synth`.
  const outdir = mkdtempSync(path.join(tmpdir(), 'postern-synthesized-'));
  synthesized.push(outdir);
  const app = new App({ analyticsReporting: false, context: { 'aws:cdk:bundling-stacks': [] }, outdir });
  const { providersFile = path.resolve('docs/providers.example.json'), publicUrl = null } = options;
  return Template.fromStack(new PosternStack(app, 'Test', { providersFile, publicUrl }));
}

/** A file of two providers that send and one that does not. */
function severalProviders(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-providers-'));
  synthesized.push(folder);
  const imap = { host: 'imap.example.com', port: 993, tls: 'implicit' };
  const smtp = { host: 'smtp.example.com', port: 587, tls: 'starttls' };
  const providers = [
    { name: 'one', domains: ['one.example'], imap, smtp },
    { name: 'two', domains: ['two.example'], imap, smtp },
    { name: 'three', domains: ['*'], imap },
  ];
  writeFileSync(path.join(folder, 'providers.json'), JSON.stringify({ providers }));
  return path.join(folder, 'providers.json');
}

const template = synthesize();
type Statement = { Action: string | string[]; Resource: unknown };

function environment(of: Template): { [name: string]: string } {
  return Object.entries(of.findResources('AWS::Lambda::Function')).find(([id]) => id.startsWith('Http'))?.[1].Properties
    .Environment.Variables;
}

/** What the role of a function may do: each action with what it may do it to. */
function grantsOf(name: string): [string | string[], string][] {
  const policies = Object.entries(template.findResources('AWS::IAM::Policy')).filter(([id]) => id.startsWith(name));
  const statements = policies.flatMap(([, policy]) => policy.Properties.PolicyDocument.Statement as Statement[]);
  const namesOf = (resources: unknown) =>
    [...JSON.stringify(resources).matchAll(/"(\w+?)[0-9A-F]{8}"/g)].map(([, name]) => name).join(' ');
  return statements.map(({ Action, Resource }) => [Action, namesOf(Resource)]);
}

describe('the functions', () => {
  test('may do what they need with what is theirs, and nothing else: one seals, the other opens', () => {
    const catalog = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:BatchWriteItem'];
    const records = ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem'];
    const receiving = expect.arrayContaining(['sqs:ReceiveMessage', 'sqs:DeleteMessage']);
    expect(grantsOf('HttpRole')).toEqual([
      [['logs:CreateLogStream', 'logs:PutLogEvents'], 'HttpLog'],
      [catalog, 'Cache'],
      [records, 'Records'],
      ['s3:ListBucket', 'Uploads'],
      [['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'], 'Uploads'],
      [['s3:PutObject', 's3:DeleteObject'], 'Outbox'],
      ['kms:GenerateDataKey', 'VaultKey'],
      ['sqs:SendMessage', 'Sends Sends'],
    ]);
    expect(grantsOf('SenderRole')).toEqual([
      [['logs:CreateLogStream', 'logs:PutLogEvents'], 'SenderLog'],
      [catalog, 'Cache'],
      [records, 'Records'],
      ['s3:ListBucket', 'Outbox'],
      [['s3:GetObject', 's3:DeleteObject'], 'Outbox'],
      ['kms:Decrypt', 'VaultKey'],
      ['sqs:SendMessage', 'Sends Sends'],
      [receiving, 'Sends'],
      [receiving, 'Sendsexample'],
    ]);
    template.allResourcesProperties('AWS::IAM::Role', { ManagedPolicyArns: Match.absent() });
  });

  test('runs on the newest long-term Node that there is', () => {
    const versions = Runtime.ALL.flatMap(({ name }) => /^nodejs(\d+)\.x$/.exec(name)?.[1] ?? []).map(Number);
    const newest = Math.max(...versions.filter((version) => version % 2 === 0));
    template.allResourcesProperties('AWS::Lambda::Function', { Runtime: `nodejs${newest}.x` });
  });

  test('has settings that exist and can be used', () => {
    const variables = environment(template);
    expect(unknownVariables(variables)).toEqual([]);
    const references = Object.entries(variables).filter(([, value]) => typeof value !== 'string');
    const resolved = Object.fromEntries(references.map(([name]) => [name, 'https://resolved.example']));
    const config = readConfig([], { ...variables, ...resolved });
    expect(config).toMatchObject({ providers: '/var/task/providers.json' });
    expect(config.maxSizeRequest).toBeLessThan(6_000_000);
    expect(config.maxSizeResponse).toBeLessThan(6_000_000);
    // The gateway hands octets over in base64.
    expect(config.maxSizeUpload).toBeLessThan((6_000_000 * 3) / 4);
  });

  test('knows the public origin where the operator set one', () => {
    expect(environment(template)).not.toHaveProperty('POSTERN_PUBLIC_URL');
    expect(environment(synthesize({ publicUrl: 'https://jmap.example.com' }))).toHaveProperty('POSTERN_PUBLIC_URL');
  });

  test('is done before the gateway gives up', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Timeout: 29,
      Role: { 'Fn::GetAtt': [Match.stringLikeRegexp('^HttpRole'), 'Arn'] },
    });
    // What was begun before the time of the request was over is still finished and answered.
    expect(Number(environment(template).POSTERN_REQUEST_TIMEOUT_SECONDS)).toBeLessThanOrEqual(29 - 5);
  });

  test('keeps its log for a month', () => {
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
  });
});

describe('the tables', () => {
  const tables = Object.entries(template.findResources('AWS::DynamoDB::GlobalTable'));
  const table = (name: string) => tables.find(([id]) => id.startsWith(name))?.[1];

  test.each(['Cache', 'Records'])('%s is paid by use and lets go of what has expired', (name) => {
    expect(table(name)?.Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    });
  });

  test('of records can be brought back as it was, and is not deleted by mistake', () => {
    expect(table('Records')).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        Replicas: [
          {
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          },
        ],
      },
    });
  });

  test('of what can be made anew goes with the stack', () => {
    expect(table('Cache')).toMatchObject({ DeletionPolicy: 'Delete' });
  });
});

test('the bucket is closed to the public, and lets go of uploaded files after a day', () => {
  template.hasResourceProperties('AWS::S3::Bucket', {
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    BucketEncryption: Match.anyValue(),
    LifecycleConfiguration: {
      Rules: [{ ExpirationInDays: 1, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' }],
    },
  });
  template.hasResourceProperties('AWS::S3::BucketPolicy', {
    PolicyDocument: {
      Statement: [Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
    },
  });
});

describe('what waits to be sent', () => {
  test('is looked for each minute, called for by a queue, and set aside when it fails again and again', () => {
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 minute)' });
    const queues = Object.values(template.findResources('AWS::SQS::Queue')).map(({ Properties }) => Properties);
    const named = queues.filter(({ QueueName }) => QueueName !== undefined);
    expect(named.map(({ RedrivePolicy }) => RedrivePolicy.maxReceiveCount)).toEqual(named.map(() => 5));
    expect(queues.length).toBe(named.length + 1);
  });

  test('is sent by each provider on its own, so that one that hangs holds up nobody else', () => {
    const template = synthesize({ providersFile: severalProviders() });
    const sending = ['Test-Sends-one', 'Test-Sends-two'];
    const queues = Object.entries(
      template.findResources('AWS::SQS::Queue', { Properties: { QueueName: Match.anyValue() } }),
    );
    expect(queues.map(([, { Properties }]) => Properties.QueueName).sort()).toEqual(['Test-Sends', ...sending].sort());
    const sources = Object.values(template.findResources('AWS::Lambda::EventSourceMapping'));
    expect(sources.map(({ Properties }) => Properties.EventSourceArn['Fn::GetAtt'][0]).sort()).toEqual(
      queues.map(([id]) => id).sort(),
    );
    for (const { Properties } of sources) {
      expect(Properties).toMatchObject({ BatchSize: 1, ScalingConfig: { MaximumConcurrency: 50 } });
    }
    const common = {
      'Fn::GetAtt': [queues.find(([, { Properties }]) => Properties.QueueName === 'Test-Sends')?.[0], 'Arn'],
    };
    const grant = { Action: 'sqs:SendMessage', Resource: [common, { 'Fn::Join': ['', [common, sendLane('', '*')]] }] };
    for (const { Properties } of Object.values(template.findResources('AWS::IAM::Policy'))) {
      expect(Properties.PolicyDocument.Statement).toContainEqual({ ...grant, Effect: 'Allow' });
    }
  });

  test('has queues whose names are not too long', () => {
    const longest = sendLane('Postern-Sends', 'x'.repeat(63));
    expect(longest.length).toBeLessThanOrEqual(80);
  });

  test('is kept for as long as it may still be sent, and no longer', () => {
    const buckets = Object.entries(template.findResources('AWS::S3::Bucket'));
    const [, outbox] = buckets.find(([id]) => id.startsWith('Outbox')) ?? [];
    const heldDays = Number(environment(template).POSTERN_MAX_DELAYED_SEND_DAYS);
    expect(outbox?.Properties.LifecycleConfiguration.Rules).toEqual([
      { ExpirationInDays: heldDays + overdueMs / 86_400_000, Status: 'Enabled' },
    ]);
  });

  test('stays when the stack goes, with the key that opens it', () => {
    template.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Retain', Properties: { EnableKeyRotation: true } });
    const buckets = Object.entries(template.findResources('AWS::S3::Bucket'));
    expect(buckets.find(([id]) => id.startsWith('Outbox'))?.[1]).toMatchObject({ DeletionPolicy: 'Retain' });
  });
});

describe('the gateway', () => {
  test('sends every path to the function', () => {
    template.resourceCountIs('AWS::ApiGatewayV2::Route', 1);
    template.hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey: '$default' });
    template.hasResourceProperties('AWS::ApiGatewayV2::Integration', { PayloadFormatVersion: '2.0' });
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', { StageName: '$default' });
  });

  test('lets web pages read the errors it makes itself', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      CorsConfiguration: {
        AllowOrigins: ['*'],
        AllowHeaders: Match.arrayWith(['Authorization', 'Content-Type', 'Accept', 'Last-Event-ID']),
        ExposeHeaders: Match.arrayWith(['Retry-After', 'Content-Disposition', 'ETag']),
        AllowCredentials: Match.absent(),
      },
    });
  });

  test('passes on so many requests and no more', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      DefaultRouteSettings: { ThrottlingRateLimit: Match.anyValue(), ThrottlingBurstLimit: Match.anyValue() },
    });
  });
});

describe('a providers file', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-infra-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const providers = (imap: object) => {
    const file = path.join(folder, 'providers.json');
    writeFileSync(file, JSON.stringify({ providers: [{ name: 'a', domains: ['*'], imap }] }));
    return file;
  };

  test('with a mistake is refused before anything is deployed', () => {
    const providersFile = providers({ host: 'a.example', port: 1, tls: 'plaintext' });
    expect(() => synthesize({ providersFile })).toThrow('plaintext is for this machine only');
  });

  test('with certificates that are not there is refused too', () => {
    const providersFile = providers({ host: 'a.example', port: 993, tls: 'implicit', caFile: 'ca.pem' });
    expect(() => synthesize({ providersFile })).toThrow('ENOENT');
    writeFileSync(path.join(folder, 'ca.pem'), 'PEM');
    expect(() => synthesize({ providersFile })).not.toThrow();
  });

  test('with certificates elsewhere on this machine is refused, for they would not be deployed', () => {
    const providersFile = providers({ host: 'a.example', port: 993, tls: 'implicit', caFile: '../ca.pem' });
    expect(() => synthesize({ providersFile })).toThrow('it must be below the providers file');
  });
});
