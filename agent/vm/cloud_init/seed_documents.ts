/**
 * The computation on a seed: checking and making its documents, hiding their secrets. YAML and password hashes take
 * their time, so this runs in a worker: `seed_work.ts`.
 */
import { checkCloudInit } from "../../../lib/vm/cloud_init/check.ts";
import { documentsOf, NoSuchNic, type SeedSubject } from "../../../lib/vm/cloud_init/documents.ts";
import type { Seed } from "../../../lib/vm/cloud_init/seed.ts";
import {
  checkNetworkConfig,
  checkUserData,
  readYaml,
  withoutCloudInitSecrets,
  withSecretsOf,
  YamlFault,
} from "../../../lib/vm/cloud_init/yaml.ts";
import { nobodySignsIn } from "../../../lib/vm/cloud_init/sign_in.ts";
import type { CloudInit, CloudInitFiles } from "../../../lib/contract/cloud_init.ts";
import { KEPT_SECRET } from "../../../lib/contract/cloud_init_bounds.ts";
import { sha512Crypt } from "./sha512_crypt.ts";

/** The cloud-init settings and the documents of a seed. */
export type Documents = Pick<Seed, "cloudInit" | "files">;

/** Documents that were made, and whether they set up no way to sign in. */
export interface MadeDocuments extends Documents {
  readonly nobodySignsIn: boolean;
}

/** A field is not what it must be; the message is the rest of a sentence about it. No value is in it: it may be secret. */
export class FieldFault extends Error {
  override readonly name = "FieldFault";
  constructor(readonly field: string, message: string) {
    super(message);
  }
}

const refusal = (field: string, message: string) => new FieldFault(field, message);

/** Runs what may find a fault in a YAML document. */
function yaml<T>(field: "userData" | "networkConfig", run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof YamlFault) throw refusal(field, error.message);
    throw error;
  }
}

/**
 * Checks everything, hashes passwords, and puts kept secrets in: what comes out is what goes into the seed.
 *
 * @throws {FieldFault}
 */
function completed(cloudInit: CloudInit, before: Seed | undefined): CloudInit {
  const [fault] = checkCloudInit(cloudInit);
  if (fault !== undefined) throw refusal(fault.field, fault.message);
  const { form, userData, networkConfig, ...rest } = cloudInit;
  const hashes = new Map(
    before?.cloudInit.form?.users?.map(({ name, passwordHash }) => [name, passwordHash]) ?? [],
  );
  const users = form?.users?.map(({ password, passwordHash, ...user }, index) => {
    const hash = password !== undefined
      ? sha512Crypt(password)
      : passwordHash === KEPT_SECRET
      ? hashes.get(user.name)
      : passwordHash;
    if (passwordHash === KEPT_SECRET && hash === undefined) {
      throw refusal(`form.users.${index}.passwordHash`, "cannot be kept: this user had no password before");
    }
    return { ...user, ...(hash !== undefined && { passwordHash: hash }) };
  });
  const whole = userData === undefined ? undefined : yaml("userData", () => {
    checkUserData(userData);
    return withSecretsOf(userData, before?.files.userData);
  });
  const network = networkConfig === undefined ? undefined : yaml("networkConfig", () => {
    checkNetworkConfig(networkConfig);
    return withSecretsOf(networkConfig, before?.files.networkConfig);
  });
  return {
    ...rest,
    ...(form !== undefined && { form: { ...form, ...(users !== undefined && { users }) } }),
    ...(whole !== undefined && { userData: whole }),
    ...(network !== undefined && { networkConfig: network }),
  };
}

/** The documents of what was {@link completed}. @throws {FieldFault} */
function documents(cloudInit: CloudInit, about: SeedSubject): CloudInitFiles {
  try {
    const files = documentsOf(cloudInit, about);
    yaml("userData", () => checkUserData(files.userData));
    return files;
  } catch (error) {
    if (!(error instanceof NoSuchNic)) throw error;
    throw refusal(`network.${error.index}.mac`, "must be given: the VM has no such interface");
  }
}

/** Whether a seed gives no password and no key to any user. */
const letsNobodyIn = ({ userData }: CloudInitFiles) => nobodySignsIn(readYaml(userData));

/** The documents of a seed, and what they were made of: passwords hashed, kept secrets put in. @throws {FieldFault} */
export function made(asked: CloudInit, before: Seed | undefined, about: SeedSubject): MadeDocuments {
  const cloudInit = completed(asked, before);
  const files = documents(cloudInit, about);
  return { cloudInit, files, nobodySignsIn: letsNobodyIn(files) };
}

/** The documents without password hashes and passwords. */
export function shown({ cloudInit, files }: Documents): MadeDocuments {
  const { form, userData, networkConfig } = cloudInit;
  const users = form?.users?.map(({ passwordHash, ...user }) => ({
    ...user,
    ...(passwordHash !== undefined && { passwordHash: KEPT_SECRET }),
  }));
  return {
    cloudInit: {
      ...cloudInit,
      ...(form && { form: { ...form, ...(users && { users }) } }),
      ...(userData !== undefined && { userData: withoutCloudInitSecrets(userData) }),
      ...(networkConfig !== undefined && { networkConfig: withoutCloudInitSecrets(networkConfig) }),
    },
    files: {
      ...files,
      userData: withoutCloudInitSecrets(files.userData),
      ...(files.networkConfig !== undefined &&
        { networkConfig: withoutCloudInitSecrets(files.networkConfig) }),
    },
    nobodySignsIn: letsNobodyIn(files),
  };
}
