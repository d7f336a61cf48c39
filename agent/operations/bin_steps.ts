/** Steps of operations that move something into the bin, or out of it. */
import type { FileIdentity } from "./file_identity.ts";

/** A VM that goes into the bin, where its definition is kept. While it is there, nothing that follows is done. */
export interface VmBinned {
  readonly kind: "vm-binned";
  readonly uuid: string;
  readonly name: string;
  readonly entry: string;
  /** Its NVRAM, where the bin does not keep it; see `nvramHolder()`. */
  readonly nvram?: string;
}

/** Something without a definition that goes into the bin. */
export interface EntryBinned {
  readonly kind: "entry-binned";
  readonly entry: string;
}

/** A file that is moved into the bin of its folder. */
export interface FileBinned {
  readonly kind: "file-binned";
  readonly entry: string;
  readonly pool: string | null;
  readonly path: string;
  /** Its name in the bin. */
  readonly as: string;
  readonly file: FileIdentity;
}

/** A file that is moved out of the bin of its folder again. */
export interface FileUnbinned {
  readonly kind: "file-unbinned";
  readonly pool: string | null;
  /** Its new path: in the same folder. */
  readonly path: string;
  readonly as: string;
  readonly file: FileIdentity;
}

/** An image whose head names what it is built on by another path than before. */
export interface Rebased {
  readonly path: string;
  readonly base: { readonly path: string; readonly format: string };
}

/** A VM whose definition comes back from the bin, once its files have. */
export interface VmUnbinned {
  readonly kind: "vm-unbinned";
  readonly entry: string;
  readonly uuid: string;
  readonly name: string;
  /** It has MAC addresses of its own: others have those it had. */
  readonly newMacs: boolean;
  /** Paths of its files that are others by now. */
  readonly moved: readonly (readonly [from: string, to: string])[];
  /** Images that are built on such files, once all are out. */
  readonly rebased?: readonly Rebased[];
}

/** An entry that was restored from the bin. */
export interface EntryUnbinned {
  readonly kind: "entry-unbinned";
  readonly entry: string;
}

/** Something in the bin that goes for good. */
export interface BinDoomed {
  readonly kind: "bin-doomed";
  readonly entry: string;
}
