/**
 * The icons in use, as data: name → SVG elements on a 24 × 24 grid, drawn as strokes.
 *
 * From Lucide (https://lucide.dev), ISC License, Copyright (c) Lucide Icons and Contributors; some derive from
 * Feather, MIT License, Copyright (c) 2013-present Cole Bemis. Permission to use, copy, modify, and/or distribute
 * for any purpose with or without fee is granted by both, provided this notice appears in all copies.
 */

/** One SVG element: its tag and attributes. */
export type IconNode = readonly [
  tag: "path" | "rect" | "circle" | "line" | "polyline" | "polygon" | "ellipse",
  attributes: Record<string, string>,
];

// In the order of their names; the comment is the name at lucide.dev.
export const ICONS = {
  // activity
  activity: [["path", {
    "d":
      "M22 12h-2.48a2 2 0 0 0-1.93 1.46l-2.35 8.36a.25.25 0 0 1-.48 0L9.24 2.18a.25.25 0 0 0-.48 0l-2.35 8.36A2 2 0 0 1 4.49 12H2",
  }]],
  // triangle-alert
  alert: [["path", { "d": "m21.73 18-8-14a2 2 0 0 0-3.48 0l-8 14A2 2 0 0 0 4 21h16a2 2 0 0 0 1.73-3" }], [
    "path",
    { "d": "M12 9v4" },
  ], ["path", { "d": "M12 17h.01" }]],
  // calendar
  calendar: [
    ["path", { "d": "M8 2v4" }],
    ["path", { "d": "M16 2v4" }],
    ["rect", { "width": "18", "height": "18", "x": "3", "y": "4", "rx": "2" }],
    ["path", { "d": "M3 10h18" }],
  ],
  // bell
  bell: [["path", { "d": "M10.268 21a2 2 0 0 0 3.464 0" }], ["path", {
    "d":
      "M3.262 15.326A1 1 0 0 0 4 17h16a1 1 0 0 0 .74-1.673C19.41 13.956 18 12.499 18 8A6 6 0 0 0 6 8c0 4.499-1.411 5.956-2.738 7.326",
  }]],
  // layout-grid
  cards: [
    ["rect", { "width": "7", "height": "7", "x": "3", "y": "3", "rx": "1" }],
    ["rect", { "width": "7", "height": "7", "x": "14", "y": "3", "rx": "1" }],
    ["rect", { "width": "7", "height": "7", "x": "14", "y": "14", "rx": "1" }],
    ["rect", { "width": "7", "height": "7", "x": "3", "y": "14", "rx": "1" }],
  ],
  // check
  check: [["path", { "d": "M20 6 9 17l-5-5" }]],
  // circle-alert
  circleAlert: [["circle", { "cx": "12", "cy": "12", "r": "10" }], ["line", {
    "x1": "12",
    "x2": "12",
    "y1": "8",
    "y2": "12",
  }], ["line", { "x1": "12", "x2": "12.01", "y1": "16", "y2": "16" }]],
  // circle-question-mark
  circleHelp: [["circle", { "cx": "12", "cy": "12", "r": "10" }], ["path", {
    "d": "M9.09 9a3 3 0 0 1 5.83 1c0 2-3 3-3 3",
  }], ["path", { "d": "M12 17h.01" }]],
  // clipboard
  clipboard: [["rect", { "width": "8", "height": "4", "x": "8", "y": "2", "rx": "1", "ry": "1" }], ["path", {
    "d": "M16 4h2a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2h2",
  }]],
  // x
  close: [["path", { "d": "M18 6 6 18" }], ["path", { "d": "m6 6 12 12" }]],
  // code-xml
  code: [["path", { "d": "m18 16 4-4-4-4" }], ["path", { "d": "m6 8-4 4 4 4" }], ["path", {
    "d": "m14.5 4-5 16",
  }]],
  // copy
  copy: [["rect", { "width": "14", "height": "14", "x": "8", "y": "8", "rx": "2", "ry": "2" }], ["path", {
    "d": "M4 16c-1.1 0-2-.9-2-2V4c0-1.1.9-2 2-2h10c1.1 0 2 .9 2 2",
  }]],
  // cpu
  cpu: [
    ["path", { "d": "M12 20v2" }],
    ["path", { "d": "M12 2v2" }],
    ["path", { "d": "M17 20v2" }],
    ["path", { "d": "M17 2v2" }],
    ["path", { "d": "M2 12h2" }],
    ["path", { "d": "M2 17h2" }],
    ["path", { "d": "M2 7h2" }],
    ["path", { "d": "M20 12h2" }],
    ["path", { "d": "M20 17h2" }],
    ["path", { "d": "M20 7h2" }],
    ["path", { "d": "M7 20v2" }],
    ["path", { "d": "M7 2v2" }],
    ["rect", { "x": "4", "y": "4", "width": "16", "height": "16", "rx": "2" }],
    ["rect", { "x": "8", "y": "8", "width": "8", "height": "8", "rx": "1" }],
  ],
  // octagon-x
  crashed: [["path", { "d": "m15 9-6 6" }], ["path", {
    "d":
      "M2.586 16.726A2 2 0 0 1 2 15.312V8.688a2 2 0 0 1 .586-1.414l4.688-4.688A2 2 0 0 1 8.688 2h6.624a2 2 0 0 1 1.414.586l4.688 4.688A2 2 0 0 1 22 8.688v6.624a2 2 0 0 1-.586 1.414l-4.688 4.688a2 2 0 0 1-1.414.586H8.688a2 2 0 0 1-1.414-.586z",
  }], ["path", { "d": "m9 9 6 6" }]],
  // layout-dashboard
  dashboard: [
    ["rect", { "width": "7", "height": "9", "x": "3", "y": "3", "rx": "1" }],
    ["rect", { "width": "7", "height": "5", "x": "14", "y": "3", "rx": "1" }],
    ["rect", { "width": "7", "height": "9", "x": "14", "y": "12", "rx": "1" }],
    ["rect", { "width": "7", "height": "5", "x": "3", "y": "16", "rx": "1" }],
  ],
  // disc
  disc: [["circle", { "cx": "12", "cy": "12", "r": "10" }], ["circle", { "cx": "12", "cy": "12", "r": "2" }]],
  // hard-drive
  disk: [
    ["path", { "d": "M10 16h.01" }],
    ["path", {
      "d":
        "M2.212 11.577a2 2 0 0 0-.212.896V18a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2v-5.527a2 2 0 0 0-.212-.896L18.55 5.11A2 2 0 0 0 16.76 4H7.24a2 2 0 0 0-1.79 1.11z",
    }],
    ["path", { "d": "M21.946 12.013H2.054" }],
    ["path", { "d": "M6 16h.01" }],
  ],
  // upload
  upload: [["path", { "d": "M12 3v12" }], ["path", { "d": "m17 8-5-5-5 5" }], ["path", {
    "d": "M21 15v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4",
  }]],
  // download
  download: [["path", { "d": "M12 15V3" }], ["path", { "d": "M21 15v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4" }], [
    "path",
    { "d": "m7 10 5 5 5-5" },
  ]],
  // pencil
  edit: [["path", {
    "d":
      "M21.174 6.812a1 1 0 0 0-3.986-3.987L3.842 16.174a2 2 0 0 0-.5.83l-1.321 4.352a.5.5 0 0 0 .623.622l4.353-1.32a2 2 0 0 0 .83-.497z",
  }], ["path", { "d": "m15 5 4 4" }]],
  // ethernet-port
  ethernet: [
    ["path", { "d": "m15 20 3-3h2a2 2 0 0 0 2-2V6a2 2 0 0 0-2-2H4a2 2 0 0 0-2 2v9a2 2 0 0 0 2 2h2l3 3z" }],
    ["path", { "d": "M6 8v1M10 8v1M14 8v1M18 8v1" }],
  ],
  // arrow-up-right
  external: [["path", { "d": "M7 7h10v10" }], ["path", { "d": "M7 17 17 7" }]],
  // eye
  eye: [
    ["path", {
      "d":
        "M2.062 12.348a1 1 0 0 1 0-.696 10.75 10.75 0 0 1 19.876 0 1 1 0 0 1 0 .696 10.75 10.75 0 0 1-19.876 0",
    }],
    ["circle", { "cx": "12", "cy": "12", "r": "3" }],
  ],
  // eye-off
  eyeOff: [
    ["path", {
      "d": "M10.733 5.076a10.744 10.744 0 0 1 11.205 6.575 1 1 0 0 1 0 .696 10.747 10.747 0 0 1-1.444 2.49",
    }],
    ["path", { "d": "M14.084 14.158a3 3 0 0 1-4.242-4.242" }],
    ["path", {
      "d": "M17.479 17.499a10.75 10.75 0 0 1-15.417-5.151 1 1 0 0 1 0-.696 10.75 10.75 0 0 1 4.446-5.143",
    }],
    ["path", { "d": "m2 2 20 20" }],
  ],
  // power-off
  forceOff: [
    ["path", { "d": "M18.36 6.64A9 9 0 0 1 20.77 15" }],
    ["path", { "d": "M6.16 6.16a9 9 0 1 0 12.68 12.68" }],
    ["path", { "d": "M12 2v4" }],
    ["path", { "d": "m2 2 20 20" }],
  ],
  // group
  group: [
    ["path", { "d": "M3 7V5c0-1.1.9-2 2-2h2" }],
    ["path", { "d": "M17 3h2c1.1 0 2 .9 2 2v2" }],
    ["path", { "d": "M21 17v2c0 1.1-.9 2-2 2h-2" }],
    ["path", { "d": "M7 21H5c-1.1 0-2-.9-2-2v-2" }],
    ["rect", { "width": "7", "height": "5", "x": "7", "y": "7", "rx": "1" }],
    ["rect", { "width": "7", "height": "5", "x": "10", "y": "12", "rx": "1" }],
  ],
  // info
  info: [["circle", { "cx": "12", "cy": "12", "r": "10" }], ["path", { "d": "M12 16v-4" }], ["path", {
    "d": "M12 8h.01",
  }]],
  // keyboard
  keyboard: [["path", {
    "d": "M10 8h.01M12 12h.01M14 8h.01M16 12h.01M18 8h.01M6 8h.01M7 16h10M8 12h.01",
  }], ["rect", { "width": "20", "height": "16", "x": "2", "y": "4", "rx": "2" }]],
  // languages
  languages: [
    ["path", { "d": "m5 8 6 6" }],
    ["path", { "d": "m4 14 6-6 2-3" }],
    ["path", { "d": "M2 5h12" }],
    ["path", { "d": "M7 2h1" }],
    ["path", { "d": "m22 22-5-10-5 10" }],
    ["path", { "d": "M14 18h6" }],
  ],
  // rows-3
  list: [["rect", { "width": "18", "height": "18", "x": "3", "y": "3", "rx": "2" }], ["path", {
    "d": "M21 9H3",
  }], ["path", { "d": "M21 15H3" }]],
  // loader-circle
  loader: [["path", { "d": "M21 12a9 9 0 1 1-6.219-8.56" }]],
  // server
  vms: [
    ["rect", { "width": "20", "height": "8", "x": "2", "y": "2", "rx": "2", "ry": "2" }],
    ["rect", { "width": "20", "height": "8", "x": "2", "y": "14", "rx": "2", "ry": "2" }],
    ["line", { "x1": "6", "x2": "6.01", "y1": "6", "y2": "6" }],
    ["line", { "x1": "6", "x2": "6.01", "y1": "18", "y2": "18" }],
  ],
  // maximize
  maximize: [["path", {
    "d": "M8 3H5a2 2 0 0 0-2 2v3M21 8V5a2 2 0 0 0-2-2h-3M3 16v3a2 2 0 0 0 2 2h3M16 21h3a2 2 0 0 0 2-2v-3",
  }]],
  // memory-stick
  memory: [
    ["path", { "d": "M12 12v-2" }],
    ["path", { "d": "M12 18v-2" }],
    ["path", { "d": "M16 12v-2" }],
    ["path", { "d": "M16 18v-2" }],
    ["path", { "d": "M2 11h1.5" }],
    ["path", { "d": "M20 18v-2" }],
    ["path", { "d": "M20.5 11H22" }],
    ["path", { "d": "M4 18v-2" }],
    ["path", { "d": "M8 12v-2" }],
    ["path", { "d": "M8 18v-2" }],
    ["rect", { "x": "2", "y": "6", "width": "20", "height": "10", "rx": "2" }],
  ],
  // menu
  menu: [["path", { "d": "M4 5h16" }], ["path", { "d": "M4 12h16" }], ["path", { "d": "M4 19h16" }]],
  // monitor
  monitor: [["rect", { "width": "20", "height": "14", "x": "2", "y": "3", "rx": "2" }], ["path", {
    "d": "M8 21h8M12 17v4",
  }]],
  // moon
  moon: [["path", {
    "d":
      "M20.985 12.486a9 9 0 1 1-9.473-9.472c.405-.022.617.46.402.803a6 6 0 0 0 8.268 8.268c.344-.215.825-.004.803.401",
  }]],
  // ellipsis
  more: [["circle", { "cx": "12", "cy": "12", "r": "1" }], ["circle", { "cx": "19", "cy": "12", "r": "1" }], [
    "circle",
    { "cx": "5", "cy": "12", "r": "1" },
  ]],
  // network
  network: [
    ["rect", { "x": "16", "y": "16", "width": "6", "height": "6", "rx": "1" }],
    ["rect", { "x": "2", "y": "16", "width": "6", "height": "6", "rx": "1" }],
    ["rect", { "x": "9", "y": "2", "width": "6", "height": "6", "rx": "1" }],
    ["path", { "d": "M5 16v-3a1 1 0 0 1 1-1h12a1 1 0 0 1 1 1v3" }],
    ["path", { "d": "M12 12V8" }],
  ],
  // panel-left
  panel: [["rect", { "width": "18", "height": "18", "x": "3", "y": "3", "rx": "2" }], ["path", {
    "d": "M9 3v18",
  }]],
  // pause
  pause: [["rect", { "x": "14", "y": "3", "width": "5", "height": "18", "rx": "1" }], ["rect", {
    "x": "5",
    "y": "3",
    "width": "5",
    "height": "18",
    "rx": "1",
  }]],
  // circle-pause
  paused: [["circle", { "cx": "12", "cy": "12", "r": "10" }], ["line", {
    "x1": "10",
    "x2": "10",
    "y1": "15",
    "y2": "9",
  }], ["line", { "x1": "14", "x2": "14", "y1": "15", "y2": "9" }]],
  // play
  play: [["path", {
    "d": "M5 5a2 2 0 0 1 3.008-1.728l11.997 6.998a2 2 0 0 1 .003 3.458l-12 7A2 2 0 0 1 5 19z",
  }]],
  // power
  power: [["path", { "d": "M12 2v10" }], ["path", { "d": "M18.4 6.6a9 9 0 1 1-12.77.04" }]],
  // rotate-cw
  reboot: [["path", { "d": "M21 12a9 9 0 1 1-9-9c2.52 0 4.93 1 6.74 2.74L21 8" }], ["path", {
    "d": "M21 3v5h-5",
  }]],
  // zap
  reset: [["path", {
    "d":
      "M15.914 4a1.5 1.5 0 00-2.474-1.561l-9 9A1.5 1.5 0 005.5 14h4.002a.5.5 0 01.471.666L8.086 20a1.5 1.5 0 002.475 1.56l9-9A1.5 1.5 0 0018.5 10h-3.997a.5.5 0 01-.472-.667z",
  }]],
  // circle-play
  running: [["path", {
    "d": "M9 9.003a1 1 0 0 1 1.517-.859l4.997 2.997a1 1 0 0 1 0 1.718l-4.997 2.997A1 1 0 0 1 9 14.996z",
  }], ["circle", { "cx": "12", "cy": "12", "r": "10" }]],
  // search
  search: [["path", { "d": "m21 21-4.34-4.34" }], ["circle", { "cx": "11", "cy": "11", "r": "8" }]],
  // shield-check
  shield: [["path", {
    "d":
      "M20 13c0 5-3.5 7.5-7.66 8.95a1 1 0 0 1-.67-.01C7.5 20.5 4 18 4 13V6a1 1 0 0 1 1-1c2 0 4.5-1.2 6.24-2.72a1.17 1.17 0 0 1 1.52 0C14.51 3.81 17 5 19 5a1 1 0 0 1 1 1z",
  }], ["path", { "d": "m9 12 2 2 4-4" }]],
  // lock
  lock: [
    ["rect", { "width": "18", "height": "11", "x": "3", "y": "11", "rx": "2", "ry": "2" }],
    ["path", { "d": "M7 11V7a5 5 0 0 1 10 0v4" }],
  ],
  // log-out
  signOut: [
    ["path", { "d": "m16 17 5-5-5-5" }],
    ["path", { "d": "M21 12H9" }],
    ["path", { "d": "M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4" }],
  ],
  // chevrons-up-down
  sort: [["path", { "d": "m7 15 5 5 5-5" }], ["path", { "d": "m7 9 5-5 5 5" }]],
  // arrow-down
  sortDown: [["path", { "d": "M12 5v14" }], ["path", { "d": "m19 12-7 7-7-7" }]],
  // arrow-up
  sortUp: [["path", { "d": "m5 12 7-7 7 7" }], ["path", { "d": "M12 19V5" }]],
  // circle-stop
  stopped: [["circle", { "cx": "12", "cy": "12", "r": "10" }], ["rect", {
    "x": "9",
    "y": "9",
    "width": "6",
    "height": "6",
    "rx": "1",
  }]],
  // settings
  settings: [
    ["path", {
      "d":
        "M9.671 4.136a2.34 2.34 0 0 1 4.659 0 2.34 2.34 0 0 0 3.319 1.915 2.34 2.34 0 0 1 2.33 4.033 2.34 2.34 0 0 0 0 3.831 2.34 2.34 0 0 1-2.33 4.033 2.34 2.34 0 0 0-3.319 1.915 2.34 2.34 0 0 1-4.659 0 2.34 2.34 0 0 0-3.32-1.915 2.34 2.34 0 0 1-2.33-4.033 2.34 2.34 0 0 0 0-3.831A2.34 2.34 0 0 1 6.35 6.051a2.34 2.34 0 0 0 3.319-1.915",
    }],
    ["circle", { "cx": "12", "cy": "12", "r": "3" }],
  ],
  // sun
  sun: [
    ["circle", { "cx": "12", "cy": "12", "r": "4" }],
    ["path", { "d": "M12 2v2" }],
    ["path", { "d": "M12 20v2" }],
    ["path", { "d": "m4.93 4.93 1.41 1.41" }],
    ["path", { "d": "m17.66 17.66 1.41 1.41" }],
    ["path", { "d": "M2 12h2" }],
    ["path", { "d": "M20 12h2" }],
    ["path", { "d": "m6.34 17.66-1.41 1.41" }],
    ["path", { "d": "m19.07 4.93-1.41 1.41" }],
  ],
  // save
  suspend: [
    ["path", {
      "d":
        "M15.2 3a2 2 0 0 1 1.4.6l3.8 3.8a2 2 0 0 1 .6 1.4V19a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z",
    }],
    ["path", { "d": "M17 21v-7a1 1 0 0 0-1-1H8a1 1 0 0 0-1 1v7" }],
    ["path", { "d": "M7 3v4a1 1 0 0 0 1 1h7" }],
  ],
  // moon-star
  suspended: [["path", { "d": "M18 5h4" }], ["path", { "d": "M20 3v4" }], ["path", {
    "d":
      "M20.985 12.486a9 9 0 1 1-9.473-9.472c.405-.022.617.46.402.803a6 6 0 0 0 8.268 8.268c.344-.215.825-.004.803.401",
  }]],
  // monitor-cog
  system: [
    ["path", { "d": "M12 17v4" }],
    ["path", { "d": "m14.305 7.53.923-.382" }],
    ["path", { "d": "m15.228 4.852-.923-.383" }],
    ["path", { "d": "m16.852 3.228-.383-.924" }],
    ["path", { "d": "m16.852 8.772-.383.923" }],
    ["path", { "d": "m19.148 3.228.383-.924" }],
    ["path", { "d": "m19.53 9.696-.382-.924" }],
    ["path", { "d": "m20.772 4.852.924-.383" }],
    ["path", { "d": "m20.772 7.148.924.383" }],
    ["path", { "d": "M22 13v2a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h7" }],
    ["path", { "d": "M8 21h8" }],
    ["circle", { "cx": "18", "cy": "6", "r": "3" }],
  ],
  // tag
  tag: [["path", {
    "d":
      "M12.586 2.586A2 2 0 0 0 11.172 2H4a2 2 0 0 0-2 2v7.172a2 2 0 0 0 .586 1.414l8.704 8.704a2.426 2.426 0 0 0 3.42 0l6.58-6.58a2.426 2.426 0 0 0 0-3.42z",
  }], ["circle", { "cx": "7.5", "cy": "7.5", "r": ".5", "fill": "currentColor" }]],
  // list-checks
  tasks: [
    ["path", { "d": "M13 5h8" }],
    ["path", { "d": "M13 12h8" }],
    ["path", { "d": "M13 19h8" }],
    ["path", { "d": "m3 17 2 2 4-4" }],
    ["path", { "d": "m3 7 2 2 4-4" }],
  ],
  // folder
  folder: [
    ["path", {
      "d":
        "M20 20a2 2 0 0 0 2-2V8a2 2 0 0 0-2-2h-7.9a2 2 0 0 1-1.69-.9L9.6 3.9A2 2 0 0 0 7.93 3H4a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2Z",
    }],
  ],
  // trash
  trash: [
    ["path", { "d": "M10 11v6" }],
    ["path", { "d": "M14 11v6" }],
    ["path", { "d": "M19 6v14a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V6" }],
    ["path", { "d": "M3 6h18" }],
    ["path", { "d": "M8 6V4a2 2 0 0 1 2-2h4a2 2 0 0 1 2 2v2" }],
  ],
  // unplug
  unplug: [
    ["path", { "d": "m19 5 3-3" }],
    ["path", { "d": "m2 22 3-3" }],
    ["path", { "d": "M6.3 20.3a2.4 2.4 0 0 0 3.4 0L12 18l-6-6-2.3 2.3a2.4 2.4 0 0 0 0 3.4Z" }],
    ["path", { "d": "M7.5 13.5 10 11" }],
    ["path", { "d": "M10.5 16.5 13 14" }],
    ["path", { "d": "m12 6 6 6 2.3-2.3a2.4 2.4 0 0 0 0-3.4l-2.6-2.6a2.4 2.4 0 0 0-3.4 0Z" }],
  ],
  // waypoints
  waypoints: [
    ["circle", { "cx": "12", "cy": "4.5", "r": "2.5" }],
    ["circle", { "cx": "4.5", "cy": "12", "r": "2.5" }],
    ["circle", { "cx": "19.5", "cy": "12", "r": "2.5" }],
    ["circle", { "cx": "12", "cy": "19.5", "r": "2.5" }],
    ["path", { "d": "m10.2 6.3-3.9 3.9M7 12h10M13.8 17.7l3.9-3.9" }],
  ],
  // user
  user: [
    ["path", { "d": "M19 21v-2a4 4 0 0 0-4-4H9a4 4 0 0 0-4 4v2" }],
    ["circle", { "cx": "12", "cy": "7", "r": "4" }],
  ],
} as const satisfies Record<string, readonly IconNode[]>;

/** Name of an icon in the table. */
export type IconName = keyof typeof ICONS;
