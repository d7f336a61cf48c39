/** Facts that a configuration is checked against: all data of the host that a decision needs, gathered before. */
import type { ConfigFinding, OperatingSystem } from "../../contract/create.ts";
import type { ContractError } from "../../contract/errors.ts";
import type { SupportedHardware } from "./supported_hardware.ts";
import type { Platform } from "./platform.ts";
import type { BackingImage, DiskSource } from "../../formats/xml/new_vm.ts";

/** An image somebody named: what it is, or why it cannot be used. */
export type ImageFact =
  | { readonly error: ContractError }
  | {
    readonly source: DiskSource;
    readonly format: "qcow2" | "raw";
    readonly backing: readonly BackingImage[];
    /** As a guest sees it; null when that is not known. */
    readonly virtualBytes: number | null;
    /** Warning that it may be no disk. */
    readonly doubt?: ConfigFinding;
  };

/** A CD somebody named: what it is, or why it cannot be used. */
export type IsoFact =
  | { readonly error: ContractError }
  | DiskSource & {
    /** Warning that it may be no CD. */
    readonly doubt?: ConfigFinding;
  };

export interface PoolFact {
  readonly name: string;
  readonly active: boolean;
  /** Formats of its volumes, the usual one first. */
  readonly formats: readonly ("qcow2" | "raw")[];
  readonly availableBytes: number | null;
}

export interface Facts {
  readonly platform: Platform;
  readonly offer: SupportedHardware;
  /** The operating system that is meant; general defaults stand for an unknown one. */
  readonly os: OperatingSystem;
  /** False when the configuration names an unknown system. */
  readonly osKnown: boolean;
  /** The server's setting: more than the host has is a warning. */
  readonly allowOvercommit: boolean;
  readonly host: { readonly cpus: number; readonly memoryMb: number };
  readonly vmNames: ReadonlySet<string>;
  /** MAC address in small letters → the VM that has it. */
  readonly macs: ReadonlyMap<string, string>;
  readonly networks: readonly { readonly name: string; readonly active: boolean }[];
  /** Bridges of the host; undefined when they cannot be known. */
  readonly bridges: ReadonlySet<string> | undefined;
  readonly pools: readonly PoolFact[];
  /** Default pool for disks; undefined when that pool would be made first. */
  readonly defaultPool: string | undefined;
  /** By the field of the configuration that names it: `disks.0`. */
  readonly images: ReadonlyMap<string, ImageFact>;
  /** The CD, or why it cannot be used; undefined when there is none at that place. */
  readonly iso: IsoFact | undefined;
  /** Paths QEMU cannot get at, each with the folder that its user may not enter. */
  readonly closed: ReadonlyMap<string, string>;
  /** Pools that images are to be made in and in which nothing can be written, by name: their folders. */
  readonly readOnly: ReadonlyMap<string, string>;
  /** Files of the host that were asked for and are there. */
  readonly files: ReadonlySet<string>;
  /** Whether KVM was wished for and is not there. */
  readonly emulated: boolean;
  readonly uuid: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** A byte, 0–255, by chance. */
  readonly randomByte: () => number;
}
