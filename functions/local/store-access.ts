/** What a client of the local store shows; it is not checked. */
export const localStoreAccess = {
  region: 'local',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
} as const;
