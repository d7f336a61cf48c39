/** Errors: content of volumes. */
import type { ErrorKind } from "./kind.ts";

export const CONTENT_ERRORS = {
  ContentExpected: {
    text:
      "The content itself is missing. Send it, or fetch it, at the command's own REST route (curl -T FILE, curl -O): " +
      "the page /api/v1/reference has the address.",
    status: 400,
    exit: 2,
  },
  UploadRunning: { text: "{name} is being uploaded to the pool {pool} already", status: 409, exit: 5 },
  UploadOfOther: {
    text:
      "The upload of {name} to the pool {pool} that broke off was begun by somebody else: only they or an " +
      "administrator may go on with it, or remove it. Take another name, or wait until it is removed.",
    status: 403,
    exit: 6,
  },
  TooManyUploads: {
    text:
      "Too many unfinished uploads {whose} (limit {limit}): {names}. Finish one of them, or remove one that broke " +
      "off (delete_upload); each goes by itself an hour after it broke off.",
    status: 429,
    exit: 3,
  },
  UploadNotFound: {
    text: "No upload of {name} to the pool {pool} waits to go on. Begin again.",
    status: 404,
    exit: 4,
  },
  UploadOffset: {
    text: "The upload goes on at byte {received} of {size}. Send the rest from there.",
    status: 409,
    exit: 5,
  },
  UploadBroken: { text: "The upload broke off at byte {received} of {size}", status: 408, exit: 1 },
  UploadFailed: { text: "Failed to upload volume: {error}", status: 502, exit: 1 },
  DownloadFailed: { text: "Failed to download volume: {error}", status: 502, exit: 1 },
  ChecksumMismatch: {
    text: "What arrived is not what was sent: its SHA-256 is {sha256}, expected {wanted}. It was removed.",
    status: 409,
    exit: 5,
  },
} as const satisfies Record<string, ErrorKind>;
