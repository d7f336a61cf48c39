/** Cloud-init as a page's form sends it, with script or without: names of fields are paths, `ci.form.hostname`. */
import type { CloudInit, CloudInitForm, CloudInitNic, CloudInitUser } from "../../contract/cloud_init.ts";
import { KEPT_SECRET } from "../../contract/cloud_init_bounds.ts";

/** Prefix of the form fields' names. */
export const PREFIX = "ci.";

/** Whether a person writes the form or YAML. */
export type CloudInitMode = "form" | "yaml";

/** Values of a form by name; an empty field is as good as none. */
class Values {
  constructor(readonly data: FormData) {}

  /** A line as it was typed; undefined when it is empty. */
  text(name: string): string | undefined {
    return this.raw(name) || undefined;
  }

  /** An address, of which blanks around it are no part; undefined when it is empty. */
  address(name: string): string | undefined {
    return this.raw(name)?.trim() || undefined;
  }

  /** A text as it was written, with the line ends of Unix: browsers send those of DOS. */
  raw(name: string): string | undefined {
    const value = this.data.get(PREFIX + name);
    return typeof value === "string" ? value.replaceAll("\r\n", "\n") : undefined;
  }

  /** Words between blanks or commas. */
  words(name: string): string[] | undefined {
    return some(this.raw(name)?.split(/[\s,]+/).filter((word) => word !== ""));
  }

  /** Lines that are not empty, as they were typed. */
  lines(name: string): string[] | undefined {
    return some(this.raw(name)?.split("\n").filter((line) => line.trim() !== ""));
  }

  isTicked(name: string): boolean {
    return this.data.has(PREFIX + name);
  }

  /** Numbers of the rows below a name, in their order. */
  rows(name: string): number[] {
    const head = `${PREFIX}${name}.`;
    const numbers = [...this.data.keys()].filter((key) => key.startsWith(head)).map((key) =>
      Number(key.slice(head.length).split(".")[0])
    );
    return [...new Set(numbers)].filter(Number.isInteger).sort((a, b) => a - b);
  }
}

const some = <T>(values: T[] | undefined) => values?.length ? values : undefined;

/** An object without the keys whose value is undefined. */
function given<T extends object>(values: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

function userOf(values: Values, at: string): CloudInitUser {
  const password = values.raw(`${at}.password`) || undefined;
  const keeps = password === undefined && values.isTicked(`${at}.keep`);
  const sudo = values.text(`${at}.sudo`) as CloudInitUser["sudo"];
  return given<CloudInitUser>({
    name: values.text(`${at}.name`) ?? "",
    fullName: values.text(`${at}.fullName`),
    password,
    passwordHash: keeps ? KEPT_SECRET : undefined,
    sshKeys: values.lines(`${at}.sshKeys`)?.map((key) => key.trim()),
    sudo: sudo === "none" ? undefined : sudo,
    shell: values.text(`${at}.shell`),
    groups: values.words(`${at}.groups`),
  });
}

/** An empty row. */
const isBlank = ({ name, fullName, password, sshKeys, groups }: CloudInitUser) =>
  name === "" && [fullName, password, sshKeys, groups].every((value) => value === undefined);

function formOf(values: Values): CloudInitForm {
  const users = values.rows("form.users").map((row) => userOf(values, `form.users.${row}`));
  const ticked = (name: string) => values.isTicked(name) || undefined;
  return given<CloudInitForm>({
    hostname: values.text("form.hostname"),
    users: some(users.filter((user) => !isBlank(user))),
    sshPasswordLogin: ticked("form.sshPasswordLogin"),
    packages: values.words("form.packages"),
    packageUpdate: ticked("form.packageUpdate"),
    packageUpgrade: ticked("form.packageUpgrade"),
    runCommands: values.lines("form.runCommands"),
    timezone: values.text("form.timezone"),
    locale: values.text("form.locale"),
  });
}

function nicOf(values: Values, at: string): CloudInitNic {
  return given<CloudInitNic>({
    mac: values.address(`${at}.mac`),
    dhcp4: values.isTicked(`${at}.dhcp4`),
    dhcp6: values.isTicked(`${at}.dhcp6`),
    addresses: values.words(`${at}.addresses`),
    gateway4: values.address(`${at}.gateway4`),
    gateway6: values.address(`${at}.gateway6`),
    nameservers: values.words(`${at}.nameservers`),
    searchDomains: values.words(`${at}.searchDomains`),
  });
}

/** Lines of `key: value`; what is none of them stays a key, for the server to refuse by its name. */
function metaDataOf(lines: readonly string[] | undefined): Record<string, string> | undefined {
  if (lines === undefined) return undefined;
  return Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(":");
    return colon < 0 ? [line, ""] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  }));
}

/** Reads a form. */
export function cloudInitOf(data: FormData): CloudInit {
  const values = new Values(data);
  const isYaml = values.text("mode") === "yaml";
  const networkConfig = isYaml ? values.raw("networkConfig") : undefined;
  const describesNetwork = !isYaml && values.text("networkMode") === "described";
  return given<CloudInit>({
    form: isYaml ? undefined : formOf(values),
    userData: isYaml ? values.raw("userData") ?? "" : undefined,
    network: describesNetwork
      ? values.rows("network").map((row) => nicOf(values, `network.${row}`))
      : undefined,
    networkConfig: networkConfig?.trim() ? networkConfig : undefined,
    metaData: metaDataOf(values.lines("metaData")),
  });
}

/** The mode that shows all there is: what the form has no line for (a command of several) is shown as YAML. */
export function modeFor(cloudInit: CloudInit | null): CloudInitMode {
  if (cloudInit === null) return "form";
  const { userData, networkConfig, form } = cloudInit;
  const fits = userData === undefined && networkConfig === undefined &&
    !form?.runCommands?.some((command) => command.includes("\n") || command.trim() === "");
  return fits ? "form" : "yaml";
}
