/** Rules for passwords: their length, and that they are on no list of common passwords. NIST SP 800-63B, 5.1.1.2. */

/** Characters of a password. No rule asks for kinds of characters: they make passwords worse. */
export const PASSWORD_LENGTH = { min: 12, max: 256 } as const;

/** Why a password is refused; null when it is not. @param breached whether a password is on the list of known ones */
export function weakness(
  password: string,
  about: readonly string[],
  breached: (password: string) => boolean,
): string | null {
  const length = [...password].length;
  if (length < PASSWORD_LENGTH.min) return `it has ${length} characters, and needs ${PASSWORD_LENGTH.min}`;
  const plain = password.toLowerCase();
  if (new Set(plain).size < 5) return "it has too few different characters";
  const known = about.find((word) => word.length > 3 && plain.includes(word.toLowerCase()));
  if (known !== undefined) return `it has ${known} in it, which anybody would try first`;
  // "passwordpassword1": a known one does not become another by being repeated or numbered.
  const core = plain.replaceAll(/[^a-z]+/g, "");
  const half = core.slice(0, core.length / 2);
  const repeated = half.length > 0 && core === half + half;
  const tries = [plain, plain.replace(/[^a-z]+$/, ""), core, ...(repeated ? [half] : [])];
  if (tries.some((word) => word.length > 3 && breached(word))) {
    return "it is on the list of passwords that attackers try";
  }
  return null;
}
