/**
 * Passwords of a domain's VNC and SPICE screens. Without one, whoever can open a connection to the port of a screen
 * has the VM's keyboard. Pure. Source: "Graphical framebuffers" in libvirt's domain format.
 */
import { xml } from "./build.ts";
import { XmlDocument } from "./edit.ts";
import { METADATA_PREFIX, METADATA_URI, SCREEN_PASSWORDS } from "./metadata.ts";
import { child, children, type XmlElement } from "./tree.ts";

/** Characters of a new password, by the type of the screen. VNC takes eight and no more (RFC 6143, 7.2.2). */
const LENGTHS = { vnc: 8, spice: 24 } as const;
/** A screen that takes a password. */
export type ScreenType = keyof typeof LENGTHS;
/** 64 characters, six bits each: none is escaped in XML or in remote-viewer's files. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.";

const secureByte = () => crypto.getRandomValues(new Uint8Array(1))[0]!;

/** A random password for a screen. */
export function newScreenPassword(type: ScreenType, randomByte: () => number = secureByte): string {
  return Array.from({ length: LENGTHS[type] }, () => ALPHABET[randomByte() & 63]).join("");
}

function typeOf({ attributes: { type = "" } }: XmlElement): ScreenType | undefined {
  return Object.hasOwn(LENGTHS, type) ? type as ScreenType : undefined;
}

/** Whether a screen listens on TCP. A UNIX socket lies in a folder of QEMU's user; `none` listens nowhere. */
function listensOnTcp(screen: XmlElement): boolean {
  if (screen.attributes.socket !== undefined) return false;
  const listens = children(screen, "listen");
  return listens.length === 0 ||
    listens.some(({ attributes: { type = "address" } }) => type === "address" || type === "network");
}

/** Whether everybody who reaches a screen's port can use it, as secure XML says. */
function isOpen(screen: XmlElement): boolean {
  return typeOf(screen) !== undefined && listensOnTcp(screen) && screen.attributes.passwd === undefined;
}

const screensOf = (domain: XmlElement) => children(child(domain, "devices"), "graphics");

/** Whether a domain has a screen that everybody who reaches its port can use, as secure XML says. */
export function hasOpenScreen(domain: XmlElement): boolean {
  return screensOf(domain).some(isOpen);
}

/** Whether the passwords of a domain's screens are made by KVM Manager. */
export function hasGeneratedPasswords(domain: XmlElement): boolean {
  const own = child(child(domain, "metadata"), `${METADATA_PREFIX}:vm`);
  return own?.attributes[SCREEN_PASSWORDS.name] === SCREEN_PASSWORDS.value;
}

/** Gives the screens that `which` selects new passwords; gives the XML of each of them. */
export function renewPasswords(
  document: XmlDocument,
  which: (screen: XmlElement) => boolean = () => true,
): string[] {
  return screensOf(document.root).flatMap((found, index) => {
    const type = typeOf(found);
    if (type === undefined || !which(found)) return [];
    const screen = () => screensOf(document.root)[index]!;
    document.setAttribute(screen(), "passwd", newScreenPassword(type));
    // An end that somebody set was that of another password.
    document.setAttribute(screen(), "passwdValidTo", undefined);
    return [document.sourceOf(screen())];
  });
}

/** Notes in a domain's metadata that its passwords are made here. */
function markGenerated(document: XmlDocument): void {
  const { name, value } = SCREEN_PASSWORDS;
  const own = document.find("metadata", `${METADATA_PREFIX}:vm`);
  if (own) return document.setAttribute(own, name, value);
  if (!document.find("metadata")) document.append(document.root, xml("metadata", {}));
  document.append(
    document.find("metadata")!,
    xml(`${METADATA_PREFIX}:vm`, { [`xmlns:${METADATA_PREFIX}`]: METADATA_URI, [name]: value }),
  );
}

/**
 * Gives a domain that is about to be defined passwords of its own: where they were generated in the domain it comes
 * from, and where a screen is open. A password that a person chose stays, and then nothing changes with each start.
 */
export function protectNewDomain(document: XmlDocument): void {
  if (hasGeneratedPasswords(document.root)) return void renewPasswords(document);
  const isChosen = screensOf(document.root).some(({ attributes: { passwd } }) => passwd !== undefined);
  if (renewPasswords(document, isOpen).length > 0 && !isChosen) markGenerated(document);
}

/** A domain's XML without the passwords that are made here: they change with every start, and are not edited. */
export function withoutGeneratedPasswords(source: string): string {
  const document = new XmlDocument(source);
  if (!hasGeneratedPasswords(document.root)) return source;
  screensOf(document.root).forEach((_, index) =>
    document.setAttribute(screensOf(document.root)[index]!, "passwd", undefined)
  );
  return document.toString();
}

/**
 * The screens of the stored XML that need new passwords, with them: those whose passwords the running domain uses now,
 * and those that have none. The mark is in XML that is exported, the passwords are not: whoever defines such XML again
 * leaves the screens open. Nothing where the passwords are not made here.
 *
 * @param live secure XML of the running domain; null when it is off
 * @param next secure XML of its next start
 */
export function renewedScreens(live: string | null, next: string): string[] {
  const document = new XmlDocument(next);
  if (!hasGeneratedPasswords(document.root)) return [];
  const running = live === null ? [] : screensOf(new XmlDocument(live).root);
  const inUse = new Set(running.map(({ attributes: { passwd } }) => passwd));
  return renewPasswords(
    document,
    (screen) =>
      isOpen(screen) || screen.attributes.passwd !== undefined && inUse.has(screen.attributes.passwd),
  );
}
