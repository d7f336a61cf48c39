/** The chains that packets pass on their way through the host. Source: libnftables-json(5). */

interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

/** The chains at the forward hook, and whether they drop what no rule lets through. @param json of `nft -j list chains` */
export function forwardChains(json: string): { name: string; drops: boolean }[] {
  const { nftables } = JSON.parse(json) as { nftables: { chain?: Chain }[] };
  return nftables.flatMap(({ chain }) =>
    chain?.hook === "forward"
      ? [{ name: `${chain.family} ${chain.table} ${chain.name}`, drops: chain.policy === "drop" }]
      : []
  );
}
