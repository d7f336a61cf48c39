/** Keys of texts that are written nowhere: they are made of names. */

/**
 * Keys that are made of a name, by area: tests of the module that gives them hold them against the names there are, or the
 * compiler does where the name's type is a list of words.
 */
const BY_NAME = [
  /^targets\.kind\./,
  /^theme\.(system|light|dark)$/,
  /^templates\.seal\./,
  /^activity\.(command|event)\./,
  /^forms\.(done\.|waits_)/,
  // Of fields, by the names that the contract gives them (`lib/text/field_texts.ts`).
  /^(field|hint|short|value)\./,
  /^permission\./,
  /^alerts\.(severity|state|ended|watches|condition|scope|comparison|minutes|repeat|channel|min|url|smtp_security|days_hint)\./,
  /^bin\.kind\./,
  /^maintenance\.(action|state)\./,
  /^projects\.(quota\.|default\.|pools$|networks$|images$)/,
  /^filter\.(tag|group|project)$/,
  /^placement\.(kind\.|[\w-]+_broken$)/,
  /^mcp\.role\./,
  // Headings and words of tables in the shell, by the English ones (`cli/verb/words.ts`).
  /^(heading\.|cell\.word-)/,
  /^touch\.(control|alt|shift|meta|[A-Z]\w+)$/,
  /^default_alerts\./,
  /^hangs\.about\./,
  /^profiles\.(kind|source|event)\./,
  /^insights\.(window|category|\w+\.(title|seen|why|advice|change)$)/,
];

/** Whether a key is made of a name, so that it is not found where it is used. */
export const isMadeKey = (key: string): boolean => BY_NAME.some((made) => made.test(key));
