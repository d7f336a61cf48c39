/** Advice for secrets that cannot be read. */
import { OUTSIDE, type RemedyTrial, SAYS } from "./trial.ts";

const BY = "tests/system/sealed_secrets_test.ts";
const givenBy = (then: string): RemedyTrial => ({ by: BY, words: '"SecretUnreadable");', then });
const KEY_BACK = "await Deno.writeTextFile(keys, kept";
const AS_AT_FIRST: RemedyTrial = { not: "it is given as at first, which has tests of its own" };

/** Words of a text → how it is tried. */
export const OF_SECRETS: Readonly<Record<string, RemedyTrial>> = {
  "Put the key back in": { by: BY, words: "Put the key back in", then: KEY_BACK },
  "put the key back in": { by: BY, words: "put the key back in", then: KEY_BACK },
  "give it again: kvm-manager host update": AS_AT_FIRST,
  "give its address and secret again": givenBy('call(server, "update_alert_target", { targetId, url'),
  "give its secret, and its passphrase where": givenBy("passphrase: SECRETS.passphrase"),
  "give them again: kvm-manager metrics set-push": givenBy('call(server, "update_metric_push"'),
  "its address or headers cannot be read": givenBy('call(server, "update_metric_push"'),
  "sign in with a recovery code or a passkey": AS_AT_FIRST,
  "remove the file for a new key, and link the hosts again": AS_AT_FIRST,
  "remove the file for a new key, and add it to the hosts": AS_AT_FIRST,
  "a new certificate was made": SAYS,
  "give it again": AS_AT_FIRST,
  "copies of before have secrets in the clear": OUTSIDE,
};
