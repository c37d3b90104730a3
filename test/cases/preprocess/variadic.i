print("x") print("x",1) print("x",1, 2) print("x",)
print("x") print("x",1) print("x",STD("y", 2))
<> <a> <a, (b, c)>
[1 end] [1 , 2 end] [1 end] a a_b "" "x y"
0 1 3
       p p->q p->q->r
     1, 1, 2
