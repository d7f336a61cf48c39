/** Letters 32 to 126 of JetBrains Mono (SIL Open Font License), 8 × 16 pixels of four bits each, deflated. Made by scripts/demo_glyphs.ts. */
export const GLYPHS =
  "rVhrbBTXFT77mN157m7bBCUS9W5pRUlS1aNElWib4m37o6lKw0StEQnBXlQVqorAkLYSxUCGZ0x5TUPTIJKYVVNUKvKYRgJMCfEg" +
  "k8YhG3sQgVBE6zUo2OLhrm1MVLDZfndnARvv7JomV/rsmTt77rn3vM8l+oyGYBLJFpEEiGnAdOd4g8ifIAqliCKON/3h6USD9USX" +
  "gbPTiJLBO+N/nz9Nv+QseoE3Jg53fERdSsKXjdATPU3G/Tu3a6L2R1ISrWPpAknsDXtc/hHx5w+a8rq1aWmvQcHrfyN6oDdJofUO" +
  "P3lNTtm33fZ3DCUojDNxqbHsX6H5zZv8Rz+skrXm5Uvpvp1HIY+ZGv32/X8GnK4n5eSZJ9fTgsNe2/dt+DMJ72wmyeBjYYgp+F+i" +
  "6i3J1rpQj11HLeqML7UYYn7rZZrkJX8d/EwXIs4TSIxXcjGi7+DA56AfrLEQMxuBF0dgGVCD9UQbDwc17C55c98Afwx/VmCKz+Jh" +
  "EGgD9hfRDJzAfvqxtzRxF0ZSlxiwnZhgfm7RtvVXAhvbVFr2DwoO1qt+gx/fgTitaH9pqsnn+7nZe7TCO69/OvtmtluNNVZAXH/F" +
  "+3crk/h7exP00EOfjX99EfyrIF9frMRHHh8jUHo9Pu7Gb64QhbOuLVQnXH12QzR9rmh4tcQSG5pJ6N5sRLSQE01y2egjv8lGf7Qz" +
  "y54jGpeV7IlpX8dQrODLpcYDNnHncyT/JEe+QA76Hgslnx/wPN+GfSR2b9GjSR5GxqCkCmcRuoiaEsSfIUaf8ww/mUwq1LgjRb53" +
  "ISvoqeYaZufobC05wdvKm48a/s6r2EfMY4XZkFu3a+P1CTxyKdEWrOja2VY0n0dQE4ooPfhMRhfbGjUW9qTnfkbSv/Mab7JgGIJu" +
  "wo6cltKBjuEEBVSPANDq8p4B+Z4ExdCwqrQ+bMfVYC4KyJZkBzuHkl7ylzKZQ9Fdv+uTCvKLQHZ1rv/54XdCcWphGfti+j+x0JAM" +
  "wYK0DHrtFPnfOhKTTNFi+pfxH/tXya9603evMKMal4urgb6IIWRDQx0mfaMpRr5zt85WabA8EYehhm/zVyZYNu8lv5H01f1j6RWo" +
  "IV50ke14f9AzgFgUbNcD7XrBo8Lnwe+ea/hzr+PGysqDb2zUGdhzsLY2Cd2kx+vmEsJX+CICZPgCeAoOBV7XAy0rSfm9G2u9RuD9" +
  "xeRffynmKlo2yPeMSjXH4Qf4eDcwFZ+2aN4LPL4/IbZOyCJcHF9A83Y1iKd6GhStGdjVIGttDfypk3Po+5MiLPpfew5rrrpt45Yr" +
  "d8Rr2g8Bf1wHl4+r4Z7NutS20WJ2MYPI0//FzF6Sm1/XZR3+qvOW3HwwKTe34D2UlfVATta/bcv5YW8DamimcM8KQzbCDosco6Bz" +
  "acGW0r4WxC9fwoP/VlKeb0oqumApOtYYBXiEXmco+atUJv5YUlujITH/Z2hrTBZw450hn8+Wobdl0ENzVEBbY0q+mLn1XsQdnf/n" +
  "+awyd1ZWgQwrnj8VMmUDsr+Bto0uRs4ZLLZ4xz9u00ntRu4tBTGf9/YDKaMTv6kk4ROQXs3iRRrXiTgS8LCflP+QoovQXY2q6LtJ" +
  "eW/AhX6A3DkJ3wKe9hcy3axTFqgnvOhlU7Aj2Ug2umd2Nrr0hVx02rFc9JtbC7F7JDzt3+LSymXo7giwBVgw31Hm73OUuZ9AnweA" +
  "RUDUu4Bu2Af9b9GZjpQUs4ER0MPIZLLpa0FO9Mc87H8fKW0vQ0a+AUWnQUW/t0/JX9fwTCNRNn/0oH4AP/h6diRQU2Sl1unF+uE1" +
  "/LgKK3H6aP57wL/JUPRgDuhTnn/KYv6m6KeARTFFV0yco6/M+WOhEyvSssEh0yJGDS1GUd6eZDGUT2BNU3CCHd75c3om0zpl08lV" +
  "5ey3AC/9aaH02LjhgsU04diPTX+nd/5/mKg1mkSeh/54SzJgLUkaQPB+t6EgW3r0LFHU03zoWd78xXbZ3tYg23vnyPY70+7/09n4" +
  "rD/kos8uySp7ZjvymWmWmIubXvRfUwOHREtK+wdQ6L/Y7NaaDC+dJP9gfUK05PQMNejpP6ie9rA6gXcUwzeIJPvSe24+uNkPVpBf" +
  "JmOGGzexJKIW6hauy+1HXobJXsYyII3k86Xtvz7vljvjQX0jcmHj6NLAcCto30CxZWF1EkujrG5ifQsryGgzENfcnQRHR+L8YLHv" +
  "GQcaGVaV7p+/jiJ313rydVXF+LRohBP+T9m0lCjTDxx4c8K8eXNHTU4tCsG/8tMzmPw0cUMtyVBKtOiuxx1xqN1BFeDEUxMdfvi8" +
  "Q1/wit/FGPPr1aRkWlIKMjbyllMAy2nIX8ob12EbyfL8JzxNwd5OTTZ5m6kwUsiFQZ3Ztq8F/udTy2eAqT+wQ9cyqIBF0PM3IVmy" +
  "HfjPVdsr/9ziP5cCF95W0cdbkbWznMjpTJrlYtEKm763Tyc8+6fgq4coumslxRM0Zce2lQzseQwqjanfU0PXPrBRryMP8AWghrc5" +
  "nImmPmIXepi3OlK0ZLWH/H9FyukWTUmLVqlYVrp3wb4khOagTv7aJIU/QNzgxgL++0npTX8e6ABmgv6nFMr8C8/LS4BdRBwhqWOA" +
  "+HWj85iQulkjPSYbgiMbM1R5ZzfJF/sx9ypQhdzIeebvjZkYzdqBNWs8EGf3G/krlcQfnBxKVDcdyFXzRh/Qfzsq0n/l/5D/7fZ3" +
  "qTchmYIVSYUcBlYDiMg/yP+xyvxXM/5j/c9i/jeMPKwW7CScLGd/mVH2x+rnW/4TLlZTwZKxzf/gGtTCbyBbcznB8h0SRnTe3t33" +
  "iPHVNRQYbjeEdFAPn8MlzbJ8ivVugsk7QdQznnR3AWhQ7n6mNjm9M2Ox51GoZvdK+YryDyb8yZL5HxLxd6L+qdC/olV7jNUBTH+h" +
  "LKLXZTDfj0u4hcfL5v8b48sBddJSyfrLdMk+XCXZXdEfvpKV1y2xxQ/nmHyuumI+4WI+TbJly3duYYzqPnZrgN1/x91RtValh7sq" +
  "0Rf2nwrlWL8R6IfTtCGZPoX7wCirBWw3p7MefKZHH1tbqwqZDmh6UZICcLcqhOUMdH+0cP/jIf/NTqFIYPdM/r7CnUdwlkNSO1Qf" +
  "cN/dOyhWPl7CBqbot9853hG40WYU6aHCnRFFVfe+rRrnU9YiEF5MF2I2m4urBfC9sP5xpFnhQqK/+lsncvfQBq3cD/8H";
