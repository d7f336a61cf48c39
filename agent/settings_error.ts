/** Error for a wrong setting. Apart from `settings.ts`, so that the command line loads no more than it needs. */

/** A setting is wrong: what, why, what to do. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}
