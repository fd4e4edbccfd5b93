import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnStage, CorsHttpMethod, HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Architecture, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { type ICommandHooks, NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { cors, type SettingName, variableOf } from '../shared/config.ts';
import { type Provider, parseProviders, sendLane, sendLanes } from '../shared/providers.ts';

const project = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** The gateway gives up after 30 s, so the function has to be done before that. */
const functionTimeout = Duration.seconds(29);

/** For how many days a message can be held, and how many later than that it is still sent; what is left of it then is erased. */
const heldDaysMax = 90;
const overdueDaysMax = 14;

export type PosternProps = StackProps & {
  /** Absolute path of the providers file; it and the certificates it names are deployed with the function. */
  readonly providersFile: string;
  /** The origin that clients use, when it is not the gateway's own. */
  readonly publicUrl: string | null;
};

/** Postern without its streams: gateway, functions, tables, buckets, and what it takes to send later. */
export class PosternStack extends Stack {
  constructor(scope: Construct, id: string, { providersFile, publicUrl, ...props }: PosternProps) {
    super(scope, id, props);
    const { providers, enclosures } = readProviders(providersFile);

    // Everything in it can be made anew from the mail servers, so it is neither backed up nor kept.
    const table = new TableV2(this, 'Cache', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      timeToLiveAttribute: 'ttl',
      billing: Billing.onDemand(),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // Nobody else has these: they can be brought back as they were at any second of the last 35 days, and outlive the stack.
    const records = new TableV2(this, 'Records', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      timeToLiveAttribute: 'ttl',
      billing: Billing.onDemand(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });

    // Uploaded files, which nothing refers to: a client that still wants one after a day uploads it again.
    const uploads = new Bucket(this, 'Uploads', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(1), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy: RemovalPolicy.DESTROY,
    });

    const logGroup = new LogGroup(this, 'HttpLog', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // A role of its own: the one that comes with a function may write to every log of the account.
    const role = new Role(this, 'HttpRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    table.grant(role, 'dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:BatchWriteItem');
    records.grant(role, 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem');
    // To list the bucket is also to be told that something is not in it, and not that it is forbidden.
    const grants = [
      { actions: ['s3:ListBucket'], resources: [uploads.bucketArn] },
      {
        actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
        resources: [uploads.arnForObjects('*')],
      },
    ];
    for (const grant of grants) role.addToPolicy(new PolicyStatement(grant));

    // Messages that wait to be sent, sealed; erased when they were sent, and by the bucket if that was forgotten.
    const outbox = new Bucket(this, 'Outbox', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(heldDaysMax + overdueDaysMax) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // Without it nothing that waits can be opened any more, so it outlives the stack.
    const vaultKey = new Key(this, 'VaultKey', { enableKeyRotation: true, removalPolicy: RemovalPolicy.RETAIN });
    const failedSends = new Queue(this, 'FailedSends', { enforceSSL: true, retentionPeriod: Duration.days(14) });
    const queueOf = (id: string, queueName: string) =>
      new Queue(this, id, {
        queueName,
        enforceSSL: true,
        // Six times what the sender may take, as Lambda wants it.
        visibilityTimeout: Duration.minutes(90),
        deadLetterQueue: { queue: failedSends, maxReceiveCount: 5 },
      });
    // A submission server that hangs holds up its own users and nobody else. The first one is for providers that are there no more.
    const sendsName = `${this.stackName}-Sends`;
    const sends = queueOf('Sends', sendsName);
    const lanes = sendLanes(providers).map((name) => queueOf(`Sends-${name}`, sendLane(sendsName, name)));
    const allSends = [sends, ...lanes];
    // Whoever takes a request may seal, and only the sender may open what was sealed.
    const senderLog = new LogGroup(this, 'SenderLog', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const senderRole = new Role(this, 'SenderRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    senderLog.grantWrite(senderRole);
    table.grant(senderRole, 'dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:BatchWriteItem');
    records.grant(senderRole, 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem');
    const objects = [outbox.arnForObjects('*')];
    role.addToPolicy(new PolicyStatement({ actions: ['s3:PutObject', 's3:DeleteObject'], resources: objects }));
    senderRole.addToPolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources: [outbox.bucketArn] }));
    senderRole.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject', 's3:DeleteObject'], resources: objects }));
    vaultKey.grant(role, 'kms:GenerateDataKey');
    vaultKey.grant(senderRole, 'kms:Decrypt');
    // By name, since there may be more of them than a policy has room for.
    const sending = { actions: ['sqs:SendMessage'], resources: [sends.queueArn, sendLane(sends.queueArn, '*')] };
    for (const each of [role, senderRole]) each.addToPolicy(new PolicyStatement(sending));

    const shared = {
      handler: 'handler',
      depsLockFilePath: path.join(project, 'package-lock.json'),
      projectRoot: project,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 1024,
      loggingFormat: LoggingFormat.TEXT,
      // The runtime brings an SDK, but another version than the one that is tested.
      bundling: {
        minify: true,
        keepNames: true,
        bundleAwsSDK: true,
        commandHooks: bringing(enclosures),
      },
    };
    const settings = {
      table: table.tableName,
      bucket: uploads.bucketName,
      recordsTable: records.tableName,
      outboxBucket: outbox.bucketName,
      vaultKey: vaultKey.keyArn,
      sendQueue: sends.queueUrl,
      maxDelayedSendDays: String(heldDaysMax),
      providers: '/var/task/providers.json',
    };
    const http = new NodejsFunction(this, 'Http', {
      ...shared,
      entry: path.join(project, 'functions/http/lambda.ts'),
      timeout: functionTimeout,
      role,
      logGroup,
      environment: environmentOf({
        ...settings,
        publicUrl: publicUrl ?? '',
        // What a call may bring and take is 6 MB, after JSON or base64 has made it larger.
        maxSizeRequest: '4000000',
        maxSizeUpload: '4000000',
        maxSizeResponse: '4500000',
        requestTimeoutSeconds: '24',
      }),
    });
    const sender = new NodejsFunction(this, 'Sender', {
      ...shared,
      entry: path.join(project, 'functions/submission-sender/lambda.ts'),
      timeout: Duration.minutes(15),
      role: senderRole,
      logGroup: senderLog,
      environment: environmentOf(settings),
    });
    for (const each of allSends) {
      http.node.addDependency(each);
      sender.addEventSource(new SqsEventSource(each, { batchSize: 1, maxConcurrency: 50 }));
    }
    new Rule(this, 'EachMinute', {
      schedule: Schedule.rate(Duration.minutes(1)),
      // The tick itself says nothing: the sender looks for what comes into the reach of its queue.
      targets: [new LambdaFunction(sender, { event: RuleTargetInput.fromObject({}) })],
    });

    const api = new HttpApi(this, 'Api', {
      defaultIntegration: new HttpLambdaIntegration('ToHttp', http),
      // The gateway answers preflights and makes errors of its own: the same rules as in the app.
      corsPreflight: {
        allowOrigins: ['*'],
        allowMethods: cors.allowMethods.map((method) => CorsHttpMethod[method]),
        allowHeaders: [...cors.allowHeaders],
        exposeHeaders: [...cors.exposeHeaders],
        maxAge: Duration.seconds(cors.maxAgeSeconds),
      },
    });
    // What a flood of requests may cost has a limit.
    const stage = api.defaultStage?.node.defaultChild;
    if (stage instanceof CfnStage) stage.defaultRouteSettings = { throttlingRateLimit: 200, throttlingBurstLimit: 400 };

    new CfnOutput(this, 'SessionUrl', { value: `${publicUrl ?? api.apiEndpoint}/.well-known/jmap` });
  }
}

function environmentOf(settings: Partial<Record<SettingName, string>>): { [variable: string]: string } {
  const given = Object.entries(settings).filter(([, value]) => value !== '');
  return Object.fromEntries(given.map(([name, value]) => [variableOf(name as SettingName), value]));
}

/** A file that goes into the bundle, and its path there. */
type Enclosure = { readonly from: string; readonly to: string };

/** With the providers, their file and the certificates that it names; one with mistakes is refused here and not when it is deployed. */
function readProviders(providersFile: string): { providers: readonly Provider[]; enclosures: readonly Enclosure[] } {
  const enclosures = [{ from: providersFile, to: 'providers.json' }];
  const providers = parseProviders(readFileSync(providersFile, 'utf8'), (name) => {
    const to = path.normalize(name);
    if (path.isAbsolute(to) || to.startsWith('..'))
      throw new Error('to be deployed it must be below the providers file');
    const from = path.join(path.dirname(providersFile), to);
    enclosures.push({ from, to });
    return readFileSync(from, 'utf8');
  });
  return { providers, enclosures };
}

/** Copies files into the bundle. */
function bringing(enclosures: readonly Enclosure[]): ICommandHooks {
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  return {
    beforeBundling: () => [],
    beforeInstall: () => [],
    afterBundling: (_, outputDir) =>
      enclosures.flatMap(({ from, to }) => {
        const target = path.join(outputDir, to);
        return [`mkdir -p ${quoted(path.dirname(target))}`, `cp ${quoted(from)} ${quoted(target)}`];
      }),
  };
}
