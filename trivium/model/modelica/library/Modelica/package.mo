package Modelica "Blocks of the names and equations that models use most; all others need the Modelica library itself"
  package Constants
    constant Real pi = 3.14159265358979323846;
    constant Real e = 2.71828182845904523536;
    constant Real eps = 2.220446049250313e-16;
    constant Real small = 1e-60;
    constant Real inf = 1e60;
    constant Real g_n = 9.80665;
    constant Real R = 8.31446261815324;
    constant Real sigma = 5.670374419e-8;
    constant Real T_zero = -273.15;
  end Constants;

  package Units
    package SI
      type Time = Real(unit = "s");
      type Length = Real(unit = "m");
      type Area = Real(unit = "m2");
      type Volume = Real(unit = "m3");
      type Velocity = Real(unit = "m/s");
      type Acceleration = Real(unit = "m/s2");
      type Angle = Real(unit = "rad");
      type AngularVelocity = Real(unit = "rad/s");
      type Mass = Real(unit = "kg", min = 0);
      type Density = Real(unit = "kg/m3", min = 0);
      type MassFlowRate = Real(unit = "kg/s");
      type VolumeFlowRate = Real(unit = "m3/s");
      type Force = Real(unit = "N");
      type Pressure = Real(unit = "Pa");
      type Energy = Real(unit = "J");
      type Power = Real(unit = "W");
      type Temperature = Real(unit = "K", min = 0);
      type HeatFlowRate = Real(unit = "W");
      type HeatCapacity = Real(unit = "J/K");
      type SpecificHeatCapacity = Real(unit = "J/(kg.K)");
      type ThermalConductance = Real(unit = "W/K");
      type Frequency = Real(unit = "Hz");
      type Voltage = Real(unit = "V");
      type Current = Real(unit = "A");
      type Resistance = Real(unit = "Ohm");
      type Capacitance = Real(unit = "F", min = 0);
      type Inductance = Real(unit = "H");
    end SI;
  end Units;

  package Blocks
    package Interfaces
      connector RealInput = input Real;
      connector RealOutput = output Real;
      connector BooleanInput = input Boolean;
      connector BooleanOutput = output Boolean;
      connector IntegerInput = input Integer;
      connector IntegerOutput = output Integer;
      partial block SO
        RealOutput y "Output";
      end SO;
      partial block SISO
        RealInput u "Input";
        RealOutput y "Output";
      end SISO;
      partial block SI2SO
        RealInput u1 "First input";
        RealInput u2 "Second input";
        RealOutput y "Output";
      end SI2SO;
      partial block SignalSource
        extends SO;
        parameter Real offset = 0 "Offset of the output";
        parameter Real startTime(unit = "s") = 0 "The output is the offset before it";
      end SignalSource;
    end Interfaces;

    package Sources
      block Constant
        extends Interfaces.SO;
        parameter Real k = 1 "Value of the output";
      equation
        y = k;
      end Constant;

      block Step
        extends Interfaces.SignalSource;
        parameter Real height = 1 "Height of the step";
      equation
        y = offset + (if time < startTime then 0 else height);
      end Step;

      block Ramp
        extends Interfaces.SignalSource;
        parameter Real height = 1 "Height of the ramp";
        parameter Real duration(unit = "s", min = 0) = 2 "Duration of the ramp";
      equation
        y = offset + (if time < startTime then 0 else if time < startTime + duration then (time - startTime) * height / duration else height);
      end Ramp;

      block Sine
        extends Interfaces.SignalSource;
        parameter Real amplitude = 1 "Amplitude of the wave";
        parameter Real f(unit = "Hz") = 1 "Frequency of the wave";
        parameter Real phase(unit = "rad") = 0 "Phase of the wave";
      equation
        y = offset + (if time < startTime then 0 else amplitude * sin(2 * 3.14159265358979323846 * f * (time - startTime) + phase));
      end Sine;

      block Pulse
        extends Interfaces.SignalSource;
        parameter Real amplitude = 1 "Amplitude of the pulse";
        parameter Real width(min = 1e-60, max = 100) = 50 "Width of the pulse in % of the period";
        parameter Real period(unit = "s", min = 1e-60) = 1 "Time of one period";
        parameter Integer nperiod = -1 "Number of periods, all where negative";
      protected
        Integer count "Periods that have begun, counted from 0";
      equation
        count = integer((time - startTime) / period);
        y = offset + (if time < startTime or nperiod == 0 or (nperiod > 0 and count >= nperiod) then 0 else if time < startTime + count * period + period * width / 100 then amplitude else 0);
      end Pulse;
    end Sources;

    package Math
      block Gain
        extends Interfaces.SISO;
        parameter Real k = 1 "Gain";
      equation
        y = k * u;
      end Gain;

      block Add
        extends Interfaces.SI2SO;
        parameter Real k1 = 1 "Gain of the first input";
        parameter Real k2 = 1 "Gain of the second input";
      equation
        y = k1 * u1 + k2 * u2;
      end Add;

      block Feedback
        extends Interfaces.SI2SO;
      equation
        y = u1 - u2;
      end Feedback;

      block Product
        extends Interfaces.SI2SO;
      equation
        y = u1 * u2;
      end Product;
    end Math;

    package Continuous
      block Integrator
        extends Interfaces.SISO;
        parameter Real k = 1 "Gain of the integrator";
        parameter Real y_start = 0 "Value of the output at first";
      initial equation
        y = y_start;
      equation
        der(y) = k * u;
      end Integrator;

      block FirstOrder
        extends Interfaces.SISO;
        parameter Real k = 1 "Gain";
        parameter Real T(unit = "s") = 1 "Time constant";
        parameter Real y_start = 0 "Value of the output at first";
      initial equation
        y = y_start;
      equation
        der(y) = (k * u - y) / T;
      end FirstOrder;
    end Continuous;
  end Blocks;
end Modelica;
