import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

export interface CertificateFiles {
  /** PEM; self-signed, so that it is its own authority. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** The certificate for "localhost" and 127.0.0.1 in a folder, made with openssl when it is not there yet. */
export async function ensureCertificate(folder: string): Promise<CertificateFiles> {
  const certificateFile = path.join(folder, 'certificate.pem');
  const keyFile = path.join(folder, 'certificate-key.pem');
  if (!existsSync(certificateFile)) {
    await promisify(execFile)('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', keyFile, '-out', certificateFile],
    ]);
  }
  return { certificateFile, keyFile };
}
