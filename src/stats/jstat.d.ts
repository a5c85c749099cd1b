declare module 'jstat' {
  const jstat: {
    gammaln(value: number): number
    studentt: { inv(probability: number, freedom: number): number; cdf(value: number, freedom: number): number }
    normal: { inv(probability: number, mean: number, deviation: number): number }
  }

  // biome-ignore lint/style/noDefaultExport: the package has no other
  export default jstat
}
