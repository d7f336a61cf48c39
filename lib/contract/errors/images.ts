/** Errors: images. */
import type { ErrorKind } from "./kind.ts";

export const IMAGE_ERRORS = {
  ImageUrlRefused: { text: "This URL cannot be used: {url} ({reason})", status: 400, exit: 2 },
  DownloadTargetRefused: {
    text: "Downloads from {host} are not allowed: {reason}. An administrator can allow it in the rules for " +
      "downloads.",
    status: 403,
    exit: 6,
  },
  ImageFetchFailed: { text: "Failed to download image: {error} ({url})", status: 502, exit: 1 },
  ImageUnpackFailed: { text: "Failed to unpack image ({format}): {error}", status: 502, exit: 1 },
  ImageTooLarge: { text: "The image is too large: {reason}", status: 409, exit: 5 },
  ImageChecksumMismatch: {
    text:
      "The image is not what was published: its {algorithm} is {found}, expected {wanted}. It was removed.",
    status: 409,
    exit: 5,
  },
  ImageChecksumMissing: { text: "{url} has no checksum of {file}", status: 409, exit: 5 },
  ImageChecksumAmbiguous: {
    text:
      "{url} has several files {file} with different checksums, and none of their paths is the image's. Give the " +
      "checksum itself.",
    status: 409,
    exit: 5,
  },
  CatalogImageNotFound: { text: "The image catalogue has no image {id}", status: 404, exit: 4 },
  CatalogUnusable: { text: "The image catalogue cannot be used: {reason}", status: 502, exit: 1 },
} as const satisfies Record<string, ErrorKind>;
