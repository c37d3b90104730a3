double half = 0.5;
float narrow = 1e-1f;
long big = 1e18, most = 1e19;
int negative = -1.0 * 2, chosen = 0.0 ? 1 : 2;
int sum(int n, float f) {
  double wide = f;
  n += wide;
  f++;
  return n ? f > 1 : !f;
}
