/** How people compare the SSH key of a host. */
import Type from "typebox";

export const HostKey = Type.String({
  maxLength: 60,
  pattern: "^SHA256:[A-Za-z0-9+/]{43}$",
  description: "by SSH: fingerprint of the host's key, once it is compared; left out, it is told",
});
