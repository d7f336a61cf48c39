/** Whether anybody can sign in to a guest as cloud-init sets it up. Pure. */

type Values = Readonly<Record<string, unknown>>;

const isValues = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether something is said: an empty text or list says nothing. */
function isSaid(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isSaid);
  if (isValues(value)) return Object.values(value).some(isSaid);
  return value !== undefined && value !== null && value !== false && value !== "";
}

/** Keys of a user, or of the whole document, that let somebody in by a key. */
const KEY_FIELDS = ["ssh_authorized_keys", "ssh-authorized-keys", "ssh_import_id"] as const;
/** Keys of a user with a password, which counts only where it is not locked. */
const PASSWORD_FIELDS = [
  "passwd",
  "hashed_passwd",
  "hashed-passwd",
  "plain_text_passwd",
  "plain-text-passwd",
] as const;
/** Keys that run commands or write files: these may let somebody in, in ways that are not known here. */
const COMMAND_FIELDS = ["runcmd", "bootcmd", "write_files"] as const;
const LETS_IN = /passwd|authorized_keys|useradd|adduser|ssh-import-id/;

const hasAny = (values: Values, fields: readonly string[]) => fields.some((field) => isSaid(values[field]));

/** A password is locked unless the document says otherwise, as cloud-init has it. */
const letsIn = (user: Values): boolean =>
  hasAny(user, KEY_FIELDS) ||
  hasAny(user, PASSWORD_FIELDS) && (user.lock_passwd ?? user["lock-passwd"] ?? true) === false;

/** Whether a cloud-config gives no password and no key to any user. */
export function nobodySignsIn(config: unknown): boolean {
  if (!isValues(config)) return true;
  const users = [config.users, config.user].flat().filter(isValues);
  if (hasAny(config, [...KEY_FIELDS, "password", "chpasswd"]) || users.some(letsIn)) return false;
  return !COMMAND_FIELDS.some((field) => LETS_IN.test(JSON.stringify(config[field] ?? "")));
}

/** Whether an image is one that knows no user before cloud-init creates one, by its name. */
export const isCloudImageName = (path: string): boolean =>
  /cloud|-generic[-.]/i.test(path.slice(path.lastIndexOf("/") + 1));

/** Distribution, as its images are called → the user whom they make when nothing else is said. */
const IMAGE_USERS: readonly (readonly [names: RegExp, user: string])[] = [
  [/^debian/, "debian"],
  [/^ubuntu/, "ubuntu"],
  [/^fedora/, "fedora"],
  [/^alma/, "almalinux"],
  [/^rocky/, "rocky"],
  [/^opensuse/, "opensuse"],
  [/^arch/, "arch"],
  [/^alpine/, "alpine"],
  [/^freebsd/, "freebsd"],
  [/^(centos|rhel)/, "cloud-user"],
];
/** A user whom no system has already. */
const OTHER_USER = "cloud-user";

/** The user whom an image of an operating system makes when nothing else is said. @param osId libosinfo's short id */
export const imageUser = (osId: string | undefined): string =>
  IMAGE_USERS.find(([names]) => names.test(osId ?? ""))?.[1] ?? OTHER_USER;
