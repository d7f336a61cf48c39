/**
 * How images are read before a decision on them: files of the machine we run on, and on other machines volumes, of which
 * libvirt sends the first bytes as a stream. Nothing is read there that is in no active pool.
 */
import { HEAD_BYTES } from "../../../lib/formats/qcow2/qcow2_header.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { lookAt } from "../../machine/files.ts";
import { realPathOf } from "../../machine/host_file.ts";
import type { LocalMachine } from "../../machine/machine.ts";
import { findVolumeAt, type LinkCaller } from "../volumes.ts";

/** A path that exists: `other` is neither a file nor a block device. */
interface ImageAt {
  /** Without links, where these can be followed. */
  readonly path: string;
  readonly type: "file" | "block" | "other";
}

export interface ImageReader {
  /** Looks a path up; undefined if it does not exist. */
  find(path: string): Promise<ImageAt | undefined>;
  /** The first bytes of an image: {@link HEAD_BYTES}, or all of a shorter one. @throws {Error} when it cannot be read */
  head(path: string): Promise<Uint8Array>;
}

/** Reads files of this machine. */
const fileReader = ({ files }: LocalMachine): ImageReader => ({
  find: async (path) => {
    const real = await lookAt(path, realPathOf);
    if (real === undefined) return undefined;
    const { isFile, isBlockDevice } = await files.statFile(real);
    return { path: real, type: isFile ? "file" : isBlockDevice ? "block" : "other" };
  },
  head: (path) => files.readStart(path, HEAD_BYTES),
});

/** Reads volumes of another machine. */
const volumeReader = (link: LinkCaller): ImageReader => ({
  find: async (path) => {
    const volume = await findVolumeAt(link, path);
    if (volume === undefined) return undefined;
    const { type } = volume;
    return { path: volume.path, type: type === "file" || type === "block" ? type : "other" };
  },
  head: (path) => link.call("volumeRead", { path, most: HEAD_BYTES }),
});

/** The VMs of libvirt's built-in test driver have no files: nothing is ever opened for them. */
export const isTestDriver = (uri: string): boolean => uri.startsWith("test:");

/** Reads the images of a libvirt; undefined where they have no content: those of the test driver. */
export function imageReader(link: Pick<LibvirtLink, "call" | "machine" | "uri">): ImageReader | undefined {
  if (link.machine !== null) return fileReader(link.machine);
  return isTestDriver(link.uri) ? undefined : volumeReader(link);
}
