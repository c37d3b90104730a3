import { defineConfig } from "vitest/config";

export default defineConfig({
  define: { BPFC_VERSION: JSON.stringify("test") },
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "./test/support/count-reporter.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
