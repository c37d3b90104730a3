{ entry11 1,
  entry14 2,
  15,
  16,
  19 18,
     entry22 5,
   25 6 } tail27
x30
