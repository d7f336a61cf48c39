/** Names of an archive's files, as its parts write them: the archive, the description and the manifest. Pure. */

/** A reference is a URI: a blank in it may be written `%20`. @throws {URIError} for one that is damaged */
export function decodedName(name: string): string {
  if (!/%[0-9a-f]{2}/i.test(name)) return name;
  return decodeURIComponent(name);
}

/**
 * Normal form of a file's name, the same for all spellings: no `./` before it, nothing encoded, accents in one
 * character.
 */
export function nameKey(name: string): string {
  const plain = name.replace(/^(\.\/)+/, "");
  try {
    return decodedName(plain).normalize("NFC");
  } catch {
    // A percent sign that encodes nothing is one of the name itself.
    return plain.normalize("NFC");
  }
}
