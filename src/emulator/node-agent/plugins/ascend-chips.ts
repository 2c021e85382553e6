/** Huawei's chips as the device configuration that the plugin reads describes them (vendors §2.1). */

export interface ChipTemplate {
  readonly name: string;
  readonly memoryMiB: number;
  readonly aiCores: number;
}

export interface ChipFacts {
  /** Of this, templates and whole cards take. */
  readonly memoryMiB: number;
  readonly aiCores: number;
  /** Smallest first. */
  readonly templates: readonly ChipTemplate[];
}

const template = (name: string, memoryMiB: number, aiCores: number): ChipTemplate => ({
  name,
  memoryMiB,
  aiCores,
});

const largeOfTwenty: ChipFacts = {
  memoryMiB: 65_536,
  aiCores: 20,
  templates: [template('vir05_1c_16g', 16_384, 5), template('vir10_3c_32g', 32_768, 10)],
};

export const ascendChips = {
  Ascend910A: {
    memoryMiB: 32_768,
    aiCores: 30,
    templates: [
      template('vir02', 2184, 2),
      template('vir04', 4369, 4),
      template('vir08', 8738, 8),
      template('vir16', 17_476, 16),
    ],
  },
  Ascend910B2: {
    memoryMiB: 65_536,
    aiCores: 24,
    templates: [
      template('vir03_1c_8g', 8192, 3),
      template('vir06_1c_16g', 16_384, 6),
      template('vir12_3c_32g', 32_768, 12),
    ],
  },
  Ascend910B3: largeOfTwenty,
  'Ascend910B4-1': largeOfTwenty,
  Ascend910B4: {
    memoryMiB: 32_768,
    aiCores: 20,
    templates: [template('vir05_1c_8g', 8192, 5), template('vir10_3c_16g', 16_384, 10)],
  },
  Ascend310P: {
    memoryMiB: 21_527,
    aiCores: 8,
    templates: [template('vir01', 3072, 1), template('vir02', 6144, 2), template('vir04', 12_288, 4)],
  },
  Ascend910C: largeOfTwenty,
} satisfies Readonly<Record<string, ChipFacts>>;

/** The words by which the configuration calls them. */
export type AscendChip = keyof typeof ascendChips;
