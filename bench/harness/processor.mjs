// The generation of a processor, by the numbers that it states of itself: its name ("AMD EPYC") does not say.

/** Models of a family from the first to the last, and their name. The first row that fits counts. */
const generations = {
  AuthenticAMD: {
    23: [
      [0x00, 0x2f, "Zen"],
      [0x50, 0x5f, "Zen"],
      [0x00, 0xff, "Zen 2"],
    ],
    25: [
      [0x00, 0x0f, "Zen 3"],
      [0x20, 0x5f, "Zen 3"],
      [0x10, 0xaf, "Zen 4"],
    ],
    26: [
      [0x00, 0x4f, "Zen 5"],
      [0x60, 0x7f, "Zen 5"],
    ],
  },
  GenuineIntel: {
    6: [
      [0x3c, 0x3c, "Haswell"],
      [0x3f, 0x3f, "Haswell"],
      [0x45, 0x46, "Haswell"],
      [0x3d, 0x3d, "Broadwell"],
      [0x47, 0x47, "Broadwell"],
      [0x4f, 0x4f, "Broadwell"],
      [0x56, 0x56, "Broadwell"],
      [0x4e, 0x4e, "Skylake"],
      [0x5e, 0x5e, "Skylake"],
      [0x8e, 0x8e, "Kaby Lake"],
      [0x9e, 0x9e, "Coffee Lake"],
      [0xa5, 0xa6, "Comet Lake"],
      [0xa7, 0xa7, "Rocket Lake"],
      [0x7d, 0x7e, "Ice Lake"],
      [0x8c, 0x8d, "Tiger Lake"],
      [0x97, 0x97, "Alder Lake"],
      [0x9a, 0x9a, "Alder Lake"],
      [0xb7, 0xb7, "Raptor Lake"],
      [0xba, 0xba, "Raptor Lake"],
      [0xbf, 0xbf, "Raptor Lake"],
      [0xaa, 0xaa, "Meteor Lake"],
      [0xac, 0xac, "Meteor Lake"],
      [0xc5, 0xc6, "Arrow Lake"],
      [0xbd, 0xbd, "Lunar Lake"],
      [0x55, 0x55, "Xeon, Skylake-SP or Cascade Lake"],
      [0x6a, 0x6a, "Xeon, Ice Lake"],
      [0x6c, 0x6c, "Xeon, Ice Lake"],
      [0x8f, 0x8f, "Xeon, Sapphire Rapids"],
      [0xcf, 0xcf, "Xeon, Emerald Rapids"],
      [0xad, 0xae, "Xeon, Granite Rapids"],
      [0xaf, 0xaf, "Xeon, Sierra Forest"],
    ],
  },
};

/** "Zen 4", say; the numbers themselves where they are not known here. */
export function generationOf({ vendor, family, model }) {
  const found = generations[vendor]?.[family]?.find(([first, last]) => model >= first && model <= last);
  return found?.[2] ?? `family ${family}, model ${model}`;
}

/** The same from the text of /proc/cpuinfo; "unknown" where that does not say (other systems and architectures). */
export function generationIn(cpuinfo) {
  const field = (name) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(cpuinfo)?.[1];
  const [vendor, family, model] = [field("vendor_id"), field("cpu family"), field("model")];
  if (vendor === undefined || family === undefined || model === undefined) return "unknown";
  return generationOf({ vendor, family: Number(family), model: Number(model) });
}
