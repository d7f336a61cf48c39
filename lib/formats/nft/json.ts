/** nftables' JSON, as far as we write and compare it. Source: libnftables-json(5). Pure. */

export type NftJson = string | number | boolean | null | readonly NftJson[] | {
  readonly [key: string]: NftJson;
};

/** A statement of a rule. */
export type Statement = { readonly [name: string]: NftJson };

/** A value is (not) something. `in` tests flags. */
export function match(left: NftJson, right: NftJson, op: "==" | "!=" | "in" = "=="): Statement {
  return { match: { op, left, right } };
}

/** A field of a packet's head. */
export function packetField(protocol: string, name: string): NftJson {
  return { payload: { protocol, field: name } };
}

/** One value, or the range from one to another. */
export function valueRange(from: number, to: number): NftJson {
  return from === to ? from : { range: [from, to] };
}

/** A table as `nft -j list` prints it, without parts that change by themselves: versions, handles, counts. */
export function tableOf(listing: string): string {
  const parsed: unknown = JSON.parse(listing);
  const objects = (parsed as { nftables?: unknown }).nftables;
  if (!Array.isArray(objects)) throw new TypeError("nft printed no list of objects");
  const lasting = (key: string, value: unknown) => key === "handle" || key === "counter" ? undefined : value;
  return JSON.stringify(objects.filter((object) => !("metainfo" in object)), lasting);
}
