import { dataType } from '../../jmap/data-type.ts';
import { coreUri } from '../../jmap/session.ts';
import { blobCapability } from '../capabilities.ts';
import { copyBlobs } from './copy.ts';
import { getBlobs } from './get.ts';
import { lookUpBlobs } from './lookup.ts';
import { uploadBlobs } from './upload.ts';

/** Blobs (RFC 9404). */
export const blob = dataType('Blob', blobCapability, { upload: uploadBlobs, get: getBlobs, lookup: lookUpBlobs });

/** What every server can do with blobs (RFC 8620 §6). */
export const coreBlob = dataType('Blob', coreUri, { copy: copyBlobs });
