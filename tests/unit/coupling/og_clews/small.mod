# A small linear program in the names of OSeMOSYS, written for the tests: one region, capacity, energy balance, cost.
set REGION; set TECHNOLOGY; set FUEL; set EMISSION; set MODE_OF_OPERATION; set TIMESLICE; set YEAR;

param DiscountRate{r in REGION};
param YearSplit{l in TIMESLICE, y in YEAR};
param SpecifiedAnnualDemand{r in REGION, f in FUEL, y in YEAR};
param AccumulatedAnnualDemand{r in REGION, f in FUEL, y in YEAR};
param SpecifiedDemandProfile{r in REGION, f in FUEL, l in TIMESLICE, y in YEAR};
param CapacityToActivityUnit{r in REGION, t in TECHNOLOGY};
param OperationalLife{r in REGION, t in TECHNOLOGY};
param ResidualCapacity{r in REGION, t in TECHNOLOGY, y in YEAR};
param CapitalCost{r in REGION, t in TECHNOLOGY, y in YEAR};
param FixedCost{r in REGION, t in TECHNOLOGY, y in YEAR};
param VariableCost{r in REGION, t in TECHNOLOGY, m in MODE_OF_OPERATION, y in YEAR};
param InputActivityRatio{r in REGION, t in TECHNOLOGY, f in FUEL, m in MODE_OF_OPERATION, y in YEAR};
param OutputActivityRatio{r in REGION, t in TECHNOLOGY, f in FUEL, m in MODE_OF_OPERATION, y in YEAR};
param EmissionActivityRatio{r in REGION, t in TECHNOLOGY, e in EMISSION, m in MODE_OF_OPERATION, y in YEAR};
param EmissionsPenalty{r in REGION, e in EMISSION, y in YEAR};
param First := min{y in YEAR} y;

var NewCapacity{r in REGION, t in TECHNOLOGY, y in YEAR} >= 0;
var RateOfActivity{r in REGION, l in TIMESLICE, t in TECHNOLOGY, m in MODE_OF_OPERATION, y in YEAR} >= 0;

minimize cost: sum{r in REGION, t in TECHNOLOGY, y in YEAR} (
    CapitalCost[r,t,y] * NewCapacity[r,t,y] / (1 + DiscountRate[r]) ^ (y - First)
    + (
        FixedCost[r,t,y] * (ResidualCapacity[r,t,y]
            + sum{yy in YEAR: y - yy < OperationalLife[r,t] and y >= yy} NewCapacity[r,t,yy])
        + sum{m in MODE_OF_OPERATION, l in TIMESLICE} RateOfActivity[r,l,t,m,y] * YearSplit[l,y] * (VariableCost[r,t,m,y]
            + sum{e in EMISSION} EmissionActivityRatio[r,t,e,m,y] * EmissionsPenalty[r,e,y])
    ) / (1 + DiscountRate[r]) ^ (y - First + 0.5));

s.t. capacity{r in REGION, l in TIMESLICE, t in TECHNOLOGY, y in YEAR}:
    sum{m in MODE_OF_OPERATION} RateOfActivity[r,l,t,m,y] <= CapacityToActivityUnit[r,t] * (ResidualCapacity[r,t,y]
        + sum{yy in YEAR: y - yy < OperationalLife[r,t] and y >= yy} NewCapacity[r,t,yy]);

s.t. EBa11_Balance{r in REGION, l in TIMESLICE, f in FUEL, y in YEAR}:
    sum{t in TECHNOLOGY, m in MODE_OF_OPERATION} RateOfActivity[r,l,t,m,y] * YearSplit[l,y]
        * (OutputActivityRatio[r,t,f,m,y] - InputActivityRatio[r,t,f,m,y])
    >= SpecifiedAnnualDemand[r,f,y] * SpecifiedDemandProfile[r,f,l,y];

s.t. EBb4_Balance{r in REGION, f in FUEL, y in YEAR}:
    sum{l in TIMESLICE, t in TECHNOLOGY, m in MODE_OF_OPERATION} RateOfActivity[r,l,t,m,y] * YearSplit[l,y]
        * (OutputActivityRatio[r,t,f,m,y] - InputActivityRatio[r,t,f,m,y])
    >= AccumulatedAnnualDemand[r,f,y];

solve;
printf "the results of a user's own go here; they're not run\n";
end;
