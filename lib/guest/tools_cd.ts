/** Names of the CDs with the guest tools. */

const STEM = "kvm-manager-guest-tools-";

/** Name of the CD with this content. @param number for the second and further ones, where another file has the first name */
export const toolsCdName = (version: string, sha256: string, number: number): string =>
  `${STEM}${version}-${sha256.slice(0, 12)}${number === 1 ? "" : `-${number}`}.iso`;

/** Whether a volume is such a CD, by its name. */
export const isToolsCd = (name: string): boolean => name.startsWith(STEM) && name.endsWith(".iso");
