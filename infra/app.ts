import { existsSync } from 'node:fs';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { PosternStack } from './stack.ts';

const app = new App({ analyticsReporting: false });
const providersFile = path.resolve(app.node.tryGetContext('providers') ?? 'docs/providers.example.json');
if (!existsSync(providersFile)) throw new Error(`Cannot read the providers file "${providersFile}": it is not there`);

new PosternStack(app, 'Postern', { providersFile, publicUrl: app.node.tryGetContext('publicUrl') ?? null });
