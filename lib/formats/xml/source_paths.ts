/** The files of the host that a domain, a device or a snapshot is made of, by its XML. Source: libvirt's formatdomain. Pure. */
import { parseXml, type XmlElement } from "./tree.ts";

/** Paths that libvirt or QEMU opens for it. */
export interface SourcePaths {
  /** Absolute paths: images with what they are built on, devices, shared folders, firmware, kernels, logs. */
  readonly paths: readonly string[];
  /** The names of the pools that it takes volumes of. */
  readonly pools: readonly string[];
  /** Those of the paths that are qcow2 images, and of which the XML leaves open what they are built on. */
  readonly open: readonly string[];
}

/** Elements whose text is a path. */
const TEXTS: ReadonlySet<string> = new Set(["loader", "nvram", "kernel", "initrd", "dtb"]);
/** Elements that name paths in attributes. */
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  source: ["file", "dev", "dir", "path"],
  nvram: ["template"],
  log: ["file"],
};

const isQcow2 = ({ name, children }: XmlElement) =>
  name === "disk" && children.some((each) => each.name === "driver" && each.attributes.type === "qcow2");

/** Finds them all. @throws {XmlError} */
export function sourcePaths(xml: string): SourcePaths {
  const paths = new Set<string>(), pools = new Set<string>(), open = new Set<string>();
  const take = (path: string | undefined) => {
    if (path?.startsWith("/")) paths.add(path);
  };
  const look = (element: XmlElement): void => {
    const { name, attributes, children } = element;
    // What a run was given and no other element stands for.
    if (name === "metadata" || name === "description") return;
    if (TEXTS.has(name)) take(element.text.trim());
    for (const attribute of ATTRIBUTES[name] ?? []) take(attributes[attribute]);
    if (name === "source" && attributes.pool !== undefined) pools.add(attributes.pool);
    if (isQcow2(element) && !children.some((each) => each.name === "backingStore")) {
      const file = children.find((each) => each.name === "source")?.attributes.file;
      if (file?.startsWith("/")) open.add(file);
    }
    for (const each of children) look(each);
  };
  look(parseXml(xml));
  return { paths: [...paths], pools: [...pools], open: [...open] };
}
