/** Creating VMs in the words of virt-install and incus: what each option puts into the configuration. */
import { message } from "../../lib/i18n/message.ts";
import type { CloudInitUser, Image, NewDisk, NewNic } from "../../lib/contract/mod.ts";
import { secretText } from "../../lib/text/secret_text.ts";
import type { Server } from "../connect/server.ts";
import { didYouMean } from "../suggestion.ts";
import type { ExpandContext, ExtrasTable, Given, InputDraft } from "./verb_extras.ts";
import { UsageError, valueOf } from "./values.ts";

const listOf = (given: Given[string]): readonly string[] =>
  given === undefined || typeof given === "boolean" ? [] : [given].flat();

/** Whole GiB of `40G`, or of a bare number. */
function gib(text: string): number {
  const size = valueOf("sizeGb", "size", text, "--disk") as number;
  if (Number.isInteger(size)) return size;
  throw new UsageError(message`--disk is ${JSON.stringify(text)}; it must be whole GiB, like 40G`);
}

/** An image or ISO by its name in the library; what has a slash is a path or pool/volume already. */
async function imageNamed(server: Server, name: string, kind: Image["kind"], flag: string): Promise<string> {
  if (name.includes("/")) return name;
  const { images } = await server.call("list_images", { vmDisks: true }) as { images: Image[] };
  const found = images.filter((image) => image.name === name);
  if (found.length === 1) return `${found[0]!.pool}/${name}`;
  if (found.length > 1) {
    const places = found.map(({ pool }) => `${pool}/${name}`).join(", ");
    throw new UsageError(message`${flag} ${name} is in several pools: say one of ${places}`);
  }
  const known = images.filter((image) => image.kind === kind && image.usedBy.length === 0).map((image) =>
    image.name
  );
  throw new UsageError(
    message`${flag}: no storage pool has ${JSON.stringify(name)}.${
      didYouMean(name, known)
    } kvm-manager image list shows what there is; a file elsewhere is said with its whole path`,
  );
}

/** Disks of `--image` and `--disk`. */
async function disksOf({ image, disk }: Given, server: Server): Promise<InputDraft> {
  const given = listOf(disk);
  if (given.includes("none")) {
    if (given.length > 1 || image !== undefined) throw new UsageError("--disk none goes with no other disk");
    return { disks: [] };
  }
  const sizes = given.map(gib);
  if (typeof image !== "string") {
    return sizes.length > 1
      ? { disks: sizes.map((sizeGb): NewDisk => ({ sizeGb })) }
      : sizes.length === 1
      ? { diskSizeGb: sizes[0] }
      : {};
  }
  const [first, ...others] = sizes;
  const copy: NewDisk = {
    path: await imageNamed(server, image, "disk", "--image"),
    copyAs: "qcow2",
    ...(first !== undefined && { sizeGb: first }),
  };
  return { disks: [copy, ...others.map((sizeGb): NewDisk => ({ sizeGb }))] };
}

/** Cards of `--network`, said several times: `default`, `bridge=br0`, `none`. */
function cardsOf(given: readonly string[]): InputDraft {
  if (given.length === 0) return {};
  if (given.includes("none")) {
    if (given.length > 1) throw new UsageError("--network none goes with no other network");
    return { nics: [] };
  }
  const cards = given.map((each): NewNic => {
    const [, kind, name] = /^(bridge|network)[=:](.+)$/.exec(each) ?? [];
    return kind === "bridge" ? { bridge: name! } : { network: name ?? each };
  });
  const [only, ...others] = cards;
  return others.length === 0 && only?.network !== undefined ? { network: only.network } : { nics: cards };
}

/** The public keys in files. @throws {UsageError} for a private one */
async function keysOf(files: readonly string[], { read }: ExpandContext): Promise<string[]> {
  const keys: string[] = [];
  for (const file of files) {
    const text = await read(file, "--ssh-key");
    if (/PRIVATE KEY/.test(text)) {
      throw new UsageError(
        message`--ssh-key ${file} is a private key, which stays here: give the public one, ${file}.pub`,
      );
    }
    const lines = text.split(/\r?\n/).map((line) => line.trim()).filter((line) =>
      line !== "" && !line.startsWith("#")
    );
    if (lines.length === 0) throw new UsageError(message`--ssh-key ${file} has no key`);
    keys.push(...lines);
  }
  return keys;
}

/** The user whom cloud-init makes. */
async function userOf(given: Given, context: ExpandContext): Promise<CloudInitUser | undefined> {
  const files = listOf(given["ssh-key"]), isPassword = given["password-stdin"] === true;
  if (typeof given.user !== "string") {
    if (files.length === 0 && !isPassword) return undefined;
    throw new UsageError(
      message`${isPassword ? "--password-stdin" : "--ssh-key"} is for a user: say which with --user NAME`,
    );
  }
  const sshKeys = await keysOf(files, context);
  const password = isPassword ? secretText(await context.read("-", "--password-stdin")) : undefined;
  if (password === "") throw new UsageError("--password-stdin: standard input is empty");
  return {
    name: given.user,
    ...(sshKeys.length > 0 && { sshKeys }),
    ...(password !== undefined && { password }),
    sudo: password === undefined ? "nopasswd" : "password",
  };
}

/** Puts what the options say into the configuration; what `--file` says of the same is replaced. */
async function expandCreate(input: InputDraft, given: Given, context: ExpandContext): Promise<void> {
  Object.assign(input, await disksOf(given, context.server), cardsOf(listOf(given.network)));
  if (typeof given.iso === "string") {
    input.isoPath = await imageNamed(context.server, given.iso, "iso", "--iso");
  }
  await addUser(input, given, context);
}

/** Has cloud-init make the user, in addition to its settings in `--file`. */
async function addUser(input: InputDraft, given: Given, context: ExpandContext): Promise<void> {
  const user = await userOf(given, context);
  if (user === undefined) return;
  const cloudInit = (input.cloudInit ?? {}) as { form?: { users?: CloudInitUser[] }; userData?: unknown };
  if (cloudInit.userData !== undefined) {
    throw new UsageError("--user does not go with a whole user-data: say the user there");
  }
  const { form = {} } = cloudInit;
  input.cloudInit = { ...cloudInit, form: { ...form, users: [...form.users ?? [], user] } };
}

/** Words for the user whom cloud-init makes. */
const USER = {
  user: { value: "NAME", text: "user whom cloud-init makes, with sudo" },
  "ssh-key": { value: "FILE", multiple: true, file: true, text: "the user's SSH public key" },
  "password-stdin": { text: "read the user's password from standard input; sudo asks for it then" },
} as const;

export const CREATE_EXTRAS: ExtrasTable = {
  create_vm_from_template: { shorthands: USER, expand: addUser },
  create_vm: {
    shorthands: {
      disk: {
        value: "SIZE|none",
        multiple: true,
        text:
          "a new disk of this size, like 40G; one of 20G when left out, or what suits the operating system; with " +
          "--image, the size of the first one",
      },
      image: {
        value: "NAME",
        text:
          "boot from a copy of this image of a storage pool (image list), or of POOL/VOLUME; it stays as it is",
      },
      iso: {
        value: "NAME",
        text: "ISO to install from: its name in a storage pool, POOL/VOLUME, or a whole path",
      },
      network: {
        value: "NAME|bridge=NAME|none",
        multiple: true,
        text:
          "the network of a card, or the bridge of the host it is on; `default`, or the only one there is, when left out",
      },
      ...USER,
    },
    expand: expandCreate,
    dryRun: { command: "check_vm_config", input: (config) => ({ config }) },
    groups: [
      ["Name and place", ["title", "description", "tags", "group", "autostart", "start"]],
      ["System to install or boot", ["osVariant", "osType", "image", "iso", "isoPath", "kernel"]],
      ["CPU and memory", ["cpuCount", "memoryMb", "cpuMode", "cpuModel", "cpuTopology", "allowOvercommit"]],
      ["Disks", ["disk", "diskSizeGb", "diskFormat", "disks"]],
      ["Network", ["network", "nics"]],
      ["First start (cloud-init)", ["user", "ssh-key", "password-stdin", "cloudInit"]],
      ["Boot and firmware", ["firmware", "bootOrder", "bootMenu", "tpm", "machine", "arch", "virtType"]],
      ["Devices", [
        "graphics",
        "video",
        "sound",
        "rng",
        "balloon",
        "guestAgent",
        "guestTools",
        "watchdog",
        "watchdogAction",
      ]],
    ],
  },
};
