; class 21: number without a call: create_module is in the table, and no kernel has it
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #0, allow
jeq #174, trap
ret errno(EPERM)
allow: ret allow
trap: ret trap(0)
foreign: ret kill_process
