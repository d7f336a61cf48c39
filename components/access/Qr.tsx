import { encode } from "uqr";

/** Modules of quiet around a code: ISO/IEC 18004, 9.1. */
const QUIET = 4;

/** A QR code, drawn by the server as one path. Always dark on light: that is what cameras expect. */
export function Qr({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { ecc: "M", border: 0 });
  const rows = data.flatMap((row, y) =>
    row.flatMap((dark, x) => dark ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : [])
  );
  const side = size + 2 * QUIET;
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${side} ${side}`}
      role="img"
      aria-label={label}
      shape-rendering="crispEdges"
    >
      <rect class="qr-ground" width={side} height={side} />
      <path class="qr-dark" d={rows.join("")} />
    </svg>
  );
}
