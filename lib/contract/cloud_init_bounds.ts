/** Numbers and words of cloud-init's contract that pages need, too, without the schemas. */

/** Most bytes each of the seed's YAML documents may have (UTF-8). */
export const MOST_YAML_BYTES = 64 * 1024;
/** Most lines and commas each of them may have: more are no configuration, but work for a parser. */
export const MOST_YAML_ENTRIES = 10_000;
/** Most users a form may have. */
export const MOST_USERS = 32;
/** Most SSH public keys that a user, or an account, may have. */
export const MOST_SSH_KEYS = 32;
/** Said of a VM whose cloud-init gives no password and no key. */
export const NO_SIGN_IN = "No user can sign in: no password and no key";
/** Stands for a secret that is kept but not shown; given back to `set_cloud_init`, it means "as it was". */
export const KEPT_SECRET = "********";
