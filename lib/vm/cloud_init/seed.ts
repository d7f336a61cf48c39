/**
 * The seed: a CD labelled `cidata` with cloud-init's documents, and the settings that they were made of.
 *
 * The CD is the one place where a VM's cloud-init is kept. It holds password hashes and whatever people write
 * into their documents; a domain's metadata can be read by anybody who may read libvirt (`virsh -r`), the volume by
 * root and the VM alone.
 */
import { parseJson } from "../../text/json.ts";
import Type, { type Static } from "typebox";
import { closed } from "../../contract/schema.ts";
import { CloudInit, CloudInitFiles } from "../../contract/cloud_init.ts";
import { readIso } from "../../formats/iso9660/read.ts";
import { type IsoFile, writeIso } from "../../formats/iso9660/write.ts";
import { checker } from "../../typebox/compile.ts";
import { readYaml } from "./yaml.ts";

/** The label cloud-init looks for. */
export const SEED_LABEL = "cidata";
/** Our own file on the CD: cloud-init does not look at it. */
const ABOUT = "kvm-manager.json";
/** For root alone, in the guest too. */
const PERMISSIONS = 0o400;

/** Most bytes a seed may have; ours are far smaller. */
export const MOST_SEED_BYTES = 4 * 1024 * 1024;

/** Content of our own file. Whole documents are not there twice. */
const { form, network, metaData } = CloudInit.properties;
const About = Type.Object({
  version: Type.Literal(1),
  changedAt: Type.Integer(),
  cloudInit: closed({ form, network, metaData }),
});
type About = Static<typeof About>;
const isAbout = checker(About);

/** Content of a seed. */
export interface Seed {
  readonly cloudInit: CloudInit;
  readonly files: CloudInitFiles;
  readonly instanceId: string | undefined;
  /** Milliseconds since 1970; undefined for a CD that others made. */
  readonly changedAt: number | undefined;
}

/** Bytes are no seed. */
export class SeedFault extends Error {
  override readonly name = "SeedFault";
}

/**
 * The CD's bytes.
 *
 * @param now milliseconds since 1970
 * @param vendorData what cloud-init runs in addition to the user's data, which neither replaces nor is replaced by it
 */
export function writeSeed(
  cloudInit: CloudInit,
  files: CloudInitFiles,
  now: number,
  vendorData?: string,
): Uint8Array<ArrayBuffer> {
  const { userData: _whole, networkConfig: _network, ...rest } = cloudInit;
  const about: About = { version: 1, changedAt: now, cloudInit: rest };
  const encode = (name: string, text: string): IsoFile => ({ name, bytes: new TextEncoder().encode(text) });
  return writeIso({
    volumeId: SEED_LABEL,
    date: new Date(now),
    permissions: PERMISSIONS,
    files: [
      encode("user-data", files.userData),
      encode("meta-data", files.metaData),
      ...(files.networkConfig === undefined ? [] : [encode("network-config", files.networkConfig)]),
      ...(vendorData === undefined ? [] : [encode("vendor-data", vendorData)]),
      encode(ABOUT, JSON.stringify(about)),
    ],
  });
}

/** @throws {SeedFault} what the bytes are not, {@link readIso}'s IsoError */
export function readSeed(bytes: Uint8Array): Seed {
  const { volumeId, files } = readIso(bytes);
  if (volumeId.toLowerCase() !== SEED_LABEL) throw new SeedFault(`its label is not ${SEED_LABEL}`);
  const text = (name: string) => {
    const found = files.get(name);
    return found && new TextDecoder().decode(found);
  };
  const userData = text("user-data"),
    networkConfig = text("network-config"),
    metaData = text("meta-data") ?? "";
  if (userData === undefined) throw new SeedFault("it has no user-data");
  const about = aboutOf(text(ABOUT));
  const { form, network } = about?.cloudInit ?? {};
  return {
    cloudInit: {
      ...about?.cloudInit,
      ...(form === undefined && { userData }),
      ...(network === undefined && networkConfig !== undefined && { networkConfig }),
    },
    files: { userData, metaData, ...(networkConfig !== undefined && { networkConfig }) },
    instanceId: instanceIdOf(metaData),
    changedAt: about?.changedAt,
  };
}

/** Our own file; undefined when it is not there, or is from a version of KVM Manager that we do not know. */
function aboutOf(text: string | undefined): About | undefined {
  if (text === undefined) return undefined;
  try {
    const value = parseJson(text);
    return isAbout(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function instanceIdOf(metaData: string): string | undefined {
  const value = readYaml(metaData);
  const id = typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)["instance-id"]
    : null;
  return typeof id === "string" ? id : undefined;
}
