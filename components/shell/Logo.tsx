/** The mark, drawn in the page's own colours. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect class="logo-ground" width="32" height="32" rx="8" />
      <path class="logo-letter" d="M10.5 8v16M22 8.5 12.5 16 22 23.5" />
    </svg>
  );
}
