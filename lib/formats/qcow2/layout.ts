/**
 * A new qcow2 image, written front to back: its tables are laid out as content arrives, so that nothing is read back. Pure.
 * Source: QEMU's docs/interop/qcow2.rst (version 3, no backing file, no features).
 */

/** Bytes of a cluster: QEMU's own default. */
export const CLUSTER = 65_536;
const ENTRIES = CLUSTER / 8;
/** Clusters that one block of 16-bit reference counts covers. */
const COUNTED = CLUSTER / 2;
/** The cluster is used by this image alone. */
const COPIED = 1n << 63n;
/** The cluster is zeros. */
const ZEROS = 1n;

/** Bytes that belong at a place in the file. */
export interface Placed {
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Lays an image out. Content comes in order, from clusters' borders on; what does not come is zeros. */
export class Qcow2Layout {
  readonly #virtualBytes: number;
  readonly #l1: DataView;
  readonly #l1Clusters: number;
  #l2: { readonly index: number; readonly offset: number; readonly table: DataView } | undefined;
  #next: number;

  /** @param virtualBytes what a guest sees */
  constructor(virtualBytes: number) {
    this.#virtualBytes = virtualBytes;
    const size = Math.max(1, Math.ceil(virtualBytes / (CLUSTER * ENTRIES)));
    this.#l1Clusters = Math.ceil(size * 8 / CLUSTER);
    this.#l1 = new DataView(new ArrayBuffer(this.#l1Clusters * CLUSTER));
    this.#next = 1 + this.#l1Clusters;
  }

  /**
   * Places content that the guest sees at `at`.
   *
   * @returns the pieces to write, adjacent ones joined; also a table that is complete now
   */
  place(at: number, content: Uint8Array<ArrayBuffer>): Placed[] {
    if (at % CLUSTER !== 0) throw new RangeError("content begins within a cluster");
    const placed: Placed[] = [];
    let together: { readonly offset: number; readonly from: number } | undefined;
    const end = (to: number) => {
      if (together === undefined) return;
      placed.push({ offset: together.offset, bytes: content.subarray(together.from, to) });
      together = undefined;
    };
    for (let done = 0; done < content.length; done += CLUSTER) {
      const cluster = (at + done) / CLUSTER, index = Math.floor(cluster / ENTRIES);
      if (this.#l2?.index !== index) {
        end(done);
        placed.push(...this.#begin(index));
      }
      const offset = this.#next++ * CLUSTER;
      this.#l2!.table.setBigUint64((cluster % ENTRIES) * 8, BigInt(offset) | COPIED);
      together ??= { offset, from: done };
    }
    end(content.length);
    return placed;
  }

  /**
   * Says that the guest sees zeros at `at`, whatever an image shows there that this one is laid over. They take no room.
   *
   * @param length bytes, whole clusters but for those at the end of the disk
   * @returns a table that is complete now
   */
  placeZeros(at: number, length: number): Placed[] {
    if (at % CLUSTER !== 0) throw new RangeError("zeros begin within a cluster");
    const placed: Placed[] = [];
    for (let done = 0; done < length; done += CLUSTER) {
      const cluster = (at + done) / CLUSTER, index = Math.floor(cluster / ENTRIES);
      if (this.#l2?.index !== index) placed.push(...this.#begin(index));
      this.#l2!.table.setBigUint64((cluster % ENTRIES) * 8, ZEROS);
    }
    return placed;
  }

  /** Begins a table of the second level. @returns the one before, which is complete */
  #begin(index: number): Placed[] {
    const placed = this.#flush();
    this.#l2 = { index, offset: this.#next++ * CLUSTER, table: new DataView(new ArrayBuffer(CLUSTER)) };
    this.#l1.setBigUint64(index * 8, BigInt(this.#l2.offset) | COPIED);
    return placed;
  }

  /** The remaining pieces once all content was placed: tables, refcounts, and at last the header. */
  end(): Placed[] {
    const placed = [...this.#flush(), {
      offset: CLUSTER,
      bytes: new Uint8Array(this.#l1.buffer as ArrayBuffer),
    }];
    let blocks = 0, tables = 0;
    for (;;) {
      const all = this.#next + blocks + tables;
      const needed = Math.ceil(all / COUNTED), neededTables = Math.ceil(needed * 8 / CLUSTER);
      if (needed === blocks && neededTables === tables) break;
      blocks = needed;
      tables = neededTables;
    }
    const tableAt = this.#next, blocksAt = tableAt + tables, all = blocksAt + blocks;
    const table = new DataView(new ArrayBuffer(tables * CLUSTER));
    for (let block = 0; block < blocks; block++) {
      table.setBigUint64(block * 8, BigInt((blocksAt + block) * CLUSTER));
      const counts = new DataView(new ArrayBuffer(CLUSTER));
      for (let index = 0; index < COUNTED && block * COUNTED + index < all; index++) {
        counts.setUint16(index * 2, 1);
      }
      placed.push({ offset: (blocksAt + block) * CLUSTER, bytes: new Uint8Array(counts.buffer) });
    }
    placed.push({ offset: tableAt * CLUSTER, bytes: new Uint8Array(table.buffer) });
    return [...placed, { offset: 0, bytes: this.#header(tableAt * CLUSTER, tables) }];
  }

  #flush(): Placed[] {
    const l2 = this.#l2;
    this.#l2 = undefined;
    return l2 === undefined
      ? []
      : [{ offset: l2.offset, bytes: new Uint8Array(l2.table.buffer as ArrayBuffer) }];
  }

  #header(refcountTable: number, refcountClusters: number): Uint8Array<ArrayBuffer> {
    const view = new DataView(new ArrayBuffer(CLUSTER));
    view.setUint32(0, 0x514649fb);
    view.setUint32(4, 3);
    view.setUint32(20, 16); // 2^16 bytes a cluster
    view.setBigUint64(24, BigInt(this.#virtualBytes));
    view.setUint32(36, Math.max(1, Math.ceil(this.#virtualBytes / (CLUSTER * ENTRIES))));
    view.setBigUint64(40, BigInt(CLUSTER));
    view.setBigUint64(48, BigInt(refcountTable));
    view.setUint32(56, refcountClusters);
    view.setUint32(96, 4); // 2^4 bits a count
    view.setUint32(100, 104);
    return new Uint8Array(view.buffer);
  }
}
