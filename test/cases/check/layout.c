enum e1{E1A,E1B}; enum e2{E2A=1L<<40}; typedef int aint __attribute__((aligned(16))); typedef int pint __attribute__((aligned(1)));
struct r0 { struct { char a0; double b0; int c0:7; }; double f1[1] __attribute__((aligned(32))); double f2[3]; unsigned char f3:3; struct { char a4; char b4; int c4:7; } __attribute__((aligned(16))); };
unsigned long z0[] = {0x1122334455667788, sizeof(struct r0), _Alignof(struct r0)};
struct r0 v0_c0 = { .c0 = 5 };
struct r0 v0_f3 = { .f3 = -1 };
struct r0 v0_c4 = { .c4 = 5 };
#pragma pack(push,8)
union r1 { int* f0; unsigned char f1 __attribute__((packed)); unsigned char f2[2]; __int128 f3; __int128 f4[3]; struct r0 f5; } __attribute__((packed,aligned(4)));
#pragma pack(pop)
unsigned long z1[] = {0x1122334455667788, sizeof(union r1), _Alignof(union r1)};
union r1 v1_f1 = { .f1 = -1 };
union r1 v1_f3 = { .f3 = 5 };
struct r2 { struct { char a0; long b0; int c0:7; }; long long f1:9; double f2[0]; unsigned char f3:7; struct r0 f4; union r1 f5; short :0; unsigned f7; };
unsigned long z2[] = {0x1122334455667788, sizeof(struct r2), _Alignof(struct r2)};
struct r2 v2_c0 = { .c0 = 1 };
struct r2 v2_f1 = { .f1 = -1 };
struct r2 v2_f3 = { .f3 = 5 };
struct r2 v2_f7 = { .f7 = 5 };
#pragma pack(push,2)
struct r3 { int* f0[3]; pint f1:18; unsigned long f2; long long f3[2] __attribute__((packed)); __int128 f4; struct r2 f5 __attribute__((aligned(32))); } __attribute__((packed,aligned(4)));
#pragma pack(pop)
unsigned long z3[] = {0x1122334455667788, sizeof(struct r3), _Alignof(struct r3)};
struct r3 v3_f1 = { .f1 = 5 };
struct r3 v3_f2 = { .f2 = -3 };
struct r3 v3_f4 = { .f4 = 5 };
#pragma pack(push,2)
struct r4 { struct r0 f0; struct r2 f1; enum e1 f2:12; long long :0; unsigned char f4:4; enum e1 f5:28 __attribute__((packed)); enum e1 f6; };
#pragma pack(pop)
unsigned long z4[] = {0x1122334455667788, sizeof(struct r4), _Alignof(struct r4)};
struct r4 v4_f2 = { .f2 = -3 };
struct r4 v4_f4 = { .f4 = 1 };
struct r4 v4_f5 = { .f5 = -1 };
struct r4 v4_f6 = { .f6 = 5 };
union r5 { unsigned long f0 __attribute__((packed)); unsigned f1:12; int f2; unsigned char f3:5; };
unsigned long z5[] = {0x1122334455667788, sizeof(union r5), _Alignof(union r5)};
union r5 v5_f0 = { .f0 = -3 };
union r5 v5_f1 = { .f1 = 0x55 };
union r5 v5_f2 = { .f2 = -3 };
union r5 v5_f3 = { .f3 = -1 };
#pragma pack(push,4)
struct r6 { char f0[3]; unsigned long f1:59; aint f2; };
#pragma pack(pop)
unsigned long z6[] = {0x1122334455667788, sizeof(struct r6), _Alignof(struct r6)};
struct r6 v6_f1 = { .f1 = -1 };
struct r6 v6_f2 = { .f2 = 0x55 };
#pragma pack(push,1)
struct r7 { short f0:7; short :4; union { char a2; unsigned long b2; int c2:7; } __attribute__((packed)); } __attribute__((packed));
#pragma pack(pop)
unsigned long z7[] = {0x1122334455667788, sizeof(struct r7), _Alignof(struct r7)};
struct r7 v7_f0 = { .f0 = -1 };
struct r7 v7_c2 = { .c2 = 5 };
struct r8 { double f0 __attribute__((packed)); unsigned long :16; unsigned char f2 __attribute__((packed)); int* f3[2]; struct r0 f4; char f5; short f6:3 __attribute__((packed)); int f7[3]; };
unsigned long z8[] = {0x1122334455667788, sizeof(struct r8), _Alignof(struct r8)};
struct r8 v8_f2 = { .f2 = -1 };
struct r8 v8_f5 = { .f5 = 5 };
struct r8 v8_f6 = { .f6 = -3 };
#pragma pack(push,4)
struct r9 { long long f0:43 __attribute__((aligned(1))); int* f1; short f2:13 __attribute__((packed)); __int128 f3:128; __int128 f4[1]; };
#pragma pack(pop)
unsigned long z9[] = {0x1122334455667788, sizeof(struct r9), _Alignof(struct r9)};
struct r9 v9_f0 = { .f0 = 0x55 };
struct r9 v9_f2 = { .f2 = -1 };
struct r9 v9_f3 = { .f3 = -3 };
union r10 { char f0; pint f1; };
unsigned long z10[] = {0x1122334455667788, sizeof(union r10), _Alignof(union r10)};
union r10 v10_f0 = { .f0 = -1 };
union r10 v10_f1 = { .f1 = 0x55 };
#pragma pack(push,4)
struct r11 { pint f0:1; int* f1[0]; int* f2[0]; long f3:15; union r1 f4 __attribute__((packed)); } __attribute__((aligned(8)));
#pragma pack(pop)
unsigned long z11[] = {0x1122334455667788, sizeof(struct r11), _Alignof(struct r11)};
struct r11 v11_f0 = { .f0 = 0x55 };
struct r11 v11_f3 = { .f3 = 0x55 };
struct r12 { long f0 __attribute__((packed)); enum e1 f1 __attribute__((aligned(1))); unsigned long f2; struct r6 f3; int* f4; int f5:16; unsigned short :16; unsigned char f7:8; } __attribute__((packed));
unsigned long z12[] = {0x1122334455667788, sizeof(struct r12), _Alignof(struct r12)};
struct r12 v12_f0 = { .f0 = -3 };
struct r12 v12_f1 = { .f1 = 0x55 };
struct r12 v12_f2 = { .f2 = 1 };
struct r12 v12_f5 = { .f5 = 1 };
struct r12 v12_f7 = { .f7 = 5 };
struct r13 { aint f0:15; union { char a1; _Bool b1; int c1:7; }; long long f2; long long f3[3]; enum e2 f4:62 __attribute__((aligned(32))); struct { char a5; double b5; int c5:7; }; pint f6:5; short f7[1]; int f8; };
unsigned long z13[] = {0x1122334455667788, sizeof(struct r13), _Alignof(struct r13)};
struct r13 v13_f0 = { .f0 = 1 };
struct r13 v13_c1 = { .c1 = 5 };
struct r13 v13_f2 = { .f2 = 1 };
struct r13 v13_f4 = { .f4 = 1 };
struct r13 v13_c5 = { .c5 = 0x55 };
struct r13 v13_f6 = { .f6 = -1 };
struct r13 v13_f8 = { .f8 = 5 };
struct r14 { unsigned short :3; _Bool f1:1; char f2:6; struct r11 f3; int* f4[2] __attribute__((packed)); };
unsigned long z14[] = {0x1122334455667788, sizeof(struct r14), _Alignof(struct r14)};
struct r14 v14_f1 = { .f1 = 1 };
struct r14 v14_f2 = { .f2 = -1 };
#pragma pack(push,4)
struct r15 { aint f0 __attribute__((packed)); union { char a1; enum e2 b1; int c1:7; }; union { char a2; _Bool b2; int c2:7; } __attribute__((packed)); struct { char a3; enum e1 b3; int c3:7; }; aint f4:19; struct r11 f5; unsigned short :0; };
#pragma pack(pop)
unsigned long z15[] = {0x1122334455667788, sizeof(struct r15), _Alignof(struct r15)};
struct r15 v15_f0 = { .f0 = 0x55 };
struct r15 v15_c1 = { .c1 = -3 };
struct r15 v15_c2 = { .c2 = 0x55 };
struct r15 v15_c3 = { .c3 = 5 };
struct r15 v15_f4 = { .f4 = 1 };
#pragma pack(push,8)
union r16 { struct { char a0; unsigned short b0; int c0:7; }; pint f1[3]; long long f2:7 __attribute__((packed)); aint f3:23; };
#pragma pack(pop)
unsigned long z16[] = {0x1122334455667788, sizeof(union r16), _Alignof(union r16)};
union r16 v16_c0 = { .c0 = 0x55 };
union r16 v16_f2 = { .f2 = -1 };
union r16 v16_f3 = { .f3 = 5 };
#pragma pack(push,8)
struct r17 { struct r3 f0; long f1:25; };
#pragma pack(pop)
unsigned long z17[] = {0x1122334455667788, sizeof(struct r17), _Alignof(struct r17)};
struct r17 v17_f1 = { .f1 = 1 };
union r18 { pint f0[1]; long long :38; __int128 f2; } __attribute__((packed));
unsigned long z18[] = {0x1122334455667788, sizeof(union r18), _Alignof(union r18)};
union r18 v18_f2 = { .f2 = 0x55 };
#pragma pack(push,1)
union r19 { _Bool f0; struct r0 f1 __attribute__((packed)); unsigned long f2[3] __attribute__((aligned(16))); unsigned :29; unsigned char f4:2 __attribute__((packed)); union r16 f5 __attribute__((packed)); pint f6:22; unsigned char f7:1; };
#pragma pack(pop)
unsigned long z19[] = {0x1122334455667788, sizeof(union r19), _Alignof(union r19)};
union r19 v19_f0 = { .f0 = 1 };
union r19 v19_f4 = { .f4 = 1 };
union r19 v19_f6 = { .f6 = -1 };
union r19 v19_f7 = { .f7 = 1 };
#pragma pack(push,4)
struct r20 { enum e1 f0:3; unsigned short f1:16; __int128 f2:126; int* f3[3]; long long f4:48; int* f5[0]; long long f6 __attribute__((aligned(8))); } __attribute__((packed));
#pragma pack(pop)
unsigned long z20[] = {0x1122334455667788, sizeof(struct r20), _Alignof(struct r20)};
struct r20 v20_f0 = { .f0 = 1 };
struct r20 v20_f1 = { .f1 = 1 };
struct r20 v20_f2 = { .f2 = 1 };
struct r20 v20_f4 = { .f4 = -1 };
struct r20 v20_f6 = { .f6 = 1 };
#pragma pack(push,4)
struct r21 {  };
#pragma pack(pop)
unsigned long z21[] = {0x1122334455667788, sizeof(struct r21), _Alignof(struct r21)};
struct r22 { double f0[0]; enum e1 f1:4 __attribute__((packed)); double f2[1]; int* f3[1]; long f4:16; _Bool f5:1; double f6[2] __attribute__((packed)); };
unsigned long z22[] = {0x1122334455667788, sizeof(struct r22), _Alignof(struct r22)};
struct r22 v22_f1 = { .f1 = 5 };
struct r22 v22_f4 = { .f4 = 5 };
struct r22 v22_f5 = { .f5 = 1 };
struct r23 { struct r0 f0 __attribute__((packed)); int f1:3 __attribute__((aligned(16))); enum e1 f2:31; enum e2 f3 __attribute__((packed)); _Bool f4; int* f5[2] __attribute__((aligned(8))); };
unsigned long z23[] = {0x1122334455667788, sizeof(struct r23), _Alignof(struct r23)};
struct r23 v23_f1 = { .f1 = 0x55 };
struct r23 v23_f2 = { .f2 = -3 };
struct r23 v23_f3 = { .f3 = 0x55 };
struct r23 v23_f4 = { .f4 = 1 };
#pragma pack(push,2)
union r24 { int* f0; unsigned short f1:14; } __attribute__((packed,aligned(4)));
#pragma pack(pop)
unsigned long z24[] = {0x1122334455667788, sizeof(union r24), _Alignof(union r24)};
union r24 v24_f1 = { .f1 = -3 };
#pragma pack(push,2)
struct r25 { aint f0; int* f1 __attribute__((packed)); };
#pragma pack(pop)
unsigned long z25[] = {0x1122334455667788, sizeof(struct r25), _Alignof(struct r25)};
struct r25 v25_f0 = { .f0 = -1 };
#pragma pack(push,8)
struct r26 { enum e1 f0:4; };
#pragma pack(pop)
unsigned long z26[] = {0x1122334455667788, sizeof(struct r26), _Alignof(struct r26)};
struct r26 v26_f0 = { .f0 = -3 };
#pragma pack(push,2)
struct r27 {  };
#pragma pack(pop)
unsigned long z27[] = {0x1122334455667788, sizeof(struct r27), _Alignof(struct r27)};
union r28 { struct r3 f0; } __attribute__((aligned(8)));
unsigned long z28[] = {0x1122334455667788, sizeof(union r28), _Alignof(union r28)};
struct r29 {  };
unsigned long z29[] = {0x1122334455667788, sizeof(struct r29), _Alignof(struct r29)};
struct r30 { unsigned long f0:27; };
unsigned long z30[] = {0x1122334455667788, sizeof(struct r30), _Alignof(struct r30)};
struct r30 v30_f0 = { .f0 = 0x55 };
#pragma pack(push,2)
struct r31 { union r1 f0; struct r27 f1; unsigned f2; long f3[1]; union r24 f4; enum e2 f5:58; float f6; } __attribute__((packed));
#pragma pack(pop)
unsigned long z31[] = {0x1122334455667788, sizeof(struct r31), _Alignof(struct r31)};
struct r31 v31_f2 = { .f2 = -1 };
struct r31 v31_f5 = { .f5 = -3 };
#pragma pack(push,1)
struct r32 { enum e2 f0:10; enum e2 f1:9; enum e2 f2 __attribute__((packed)); unsigned long f3:11; unsigned f4; } __attribute__((packed,aligned(4)));
#pragma pack(pop)
unsigned long z32[] = {0x1122334455667788, sizeof(struct r32), _Alignof(struct r32)};
struct r32 v32_f0 = { .f0 = 0x55 };
struct r32 v32_f1 = { .f1 = -3 };
struct r32 v32_f2 = { .f2 = 0x55 };
struct r32 v32_f3 = { .f3 = -3 };
struct r32 v32_f4 = { .f4 = 5 };
union r33 { __int128 f0[0]; char :0; _Bool f2[0]; short f3:7; enum e2 f4[1]; _Bool f5:1; int f6:32; };
unsigned long z33[] = {0x1122334455667788, sizeof(union r33), _Alignof(union r33)};
union r33 v33_f3 = { .f3 = 5 };
union r33 v33_f5 = { .f5 = 1 };
union r33 v33_f6 = { .f6 = 1 };
#pragma pack(push,4)
struct r34 { double f0[1]; _Bool f1:1; _Bool f2; aint f3:9 __attribute__((aligned(1))); unsigned short f4 __attribute__((packed)); float f5[2]; short f6[1] __attribute__((packed)); };
#pragma pack(pop)
unsigned long z34[] = {0x1122334455667788, sizeof(struct r34), _Alignof(struct r34)};
struct r34 v34_f1 = { .f1 = 1 };
struct r34 v34_f2 = { .f2 = 1 };
struct r34 v34_f3 = { .f3 = 5 };
struct r34 v34_f4 = { .f4 = -1 };
union r35 { long long f0:64; short f1:2; unsigned long f2; __int128 f3[2]; };
unsigned long z35[] = {0x1122334455667788, sizeof(union r35), _Alignof(union r35)};
union r35 v35_f0 = { .f0 = -1 };
union r35 v35_f1 = { .f1 = 1 };
union r35 v35_f2 = { .f2 = -1 };
union r36 {  } __attribute__((aligned(8)));
unsigned long z36[] = {0x1122334455667788, sizeof(union r36), _Alignof(union r36)};
#pragma pack(push,8)
union r37 { aint f0:11 __attribute__((packed)); unsigned char f1; __int128 f2; long long f3; aint :0; __int128 f5[1]; long long f6:15; long long f7:10; } __attribute__((aligned(8)));
#pragma pack(pop)
unsigned long z37[] = {0x1122334455667788, sizeof(union r37), _Alignof(union r37)};
union r37 v37_f0 = { .f0 = -3 };
union r37 v37_f1 = { .f1 = 1 };
union r37 v37_f2 = { .f2 = 5 };
union r37 v37_f3 = { .f3 = 5 };
union r37 v37_f6 = { .f6 = 1 };
union r37 v37_f7 = { .f7 = -3 };
#pragma pack(push,4)
struct r38 {  };
#pragma pack(pop)
unsigned long z38[] = {0x1122334455667788, sizeof(struct r38), _Alignof(struct r38)};
struct r39 { union r35 f0; unsigned char f1:7 __attribute__((packed)); unsigned long f2; aint f3:8; char f4; } __attribute__((packed,aligned(4)));
unsigned long z39[] = {0x1122334455667788, sizeof(struct r39), _Alignof(struct r39)};
struct r39 v39_f1 = { .f1 = -1 };
struct r39 v39_f2 = { .f2 = -3 };
struct r39 v39_f3 = { .f3 = 5 };
struct r39 v39_f4 = { .f4 = -3 };
